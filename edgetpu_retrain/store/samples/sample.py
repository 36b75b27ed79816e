# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Samples: to store, as stored, and as arrays to train on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import hashlib
from typing import NamedTuple

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.label import check_label
from edgetpu_retrain.learning.arrays import IntArray
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.embedding_kind import RawArray
import numpy as np

# A photograph of 50 megapixels; a larger file is a mistake that would fill a robot's disk.
MAX_IMAGE_BYTES = 32 * 1024 * 1024

# Start of image, then the first byte of the next marker: ISO/IEC 10918-1, annex B.
_JPEG_START = b'\xff\xd8\xff'


@dataclass(frozen=True, eq=False)
class Sample:
    """
    A sample to store.

    Args:
        label: class name.
        embeddings: at least one, raw ``[D]`` of dtype uint8, int8 or float32, by the identity of
            its extractor.
        camera: name of the camera, '' if there was none.
        stamp_ns: stamp of the image in nanoseconds, 0 if it has none.
        image: the embedded picture as a JPEG file, None to store none.
        added_ns: when it was first stored, nanoseconds since 1970; 0 = now.
    """

    label: str
    embeddings: Mapping[str, RawArray]
    camera: str = ''
    stamp_ns: int = 0
    image: bytes | None = None
    added_ns: int = 0

    @property
    def num_bytes(self) -> int:
        """Size of its embeddings and its picture."""
        return sum(each.nbytes for each in self.embeddings.values()) + len(self.image or b'')


@dataclass(frozen=True)
class StoredSample:
    """
    The record of a sample in the store, without its embeddings and its picture.

    Args:
        sample_id: its id, from 1, never used again.
        label: class name.
        camera: name of the camera, '' if there was none.
        stamp_ns: stamp of the image in nanoseconds, 0 if it has none.
        has_image: whether its picture is stored.
        addition: id of the first sample of the same request.
        added_ns: when it was stored, nanoseconds since 1970; 0 in a store of the first release.
    """

    sample_id: int
    label: str
    camera: str
    stamp_ns: int
    has_image: bool
    addition: int
    added_ns: int


@dataclass(frozen=True)
class StoredPicture:
    """
    A sample's picture.

    Args:
        sample_id: id of the sample.
        label: its class name.
        jpeg: the file.
    """

    sample_id: int
    label: str
    jpeg: bytes


class Undone(NamedTuple):
    """The samples that an undo removed."""

    label: str
    """Class name, or several, separated by commas; '' if there was nothing to undo."""
    samples: int
    """Their number, 0 if there was nothing to undo."""


class Unembedded(NamedTuple):
    """The number of samples without an embedding of an extractor."""

    samples: int
    with_image: int
    """Those whose picture is stored, so that they can be embedded again."""


def check_sample(sample: Sample) -> None:
    """
    Check all fields of a sample except its embeddings.

    Raises:
        RequestError: if the label is invalid or the image is too large.
        ValueError: if another field is not as :class:`Sample` describes it.
    """
    check_label(sample.label)
    for name in ('stamp_ns', 'added_ns'):
        if not -(2**63) <= getattr(sample, name) < 2**63:
            raise ValueError(f'{name} is {getattr(sample, name)}; it must fit 64 bits')
    if sample.image is not None:
        check_image(sample.image)


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """
    All samples of one extractor at one moment, as arrays.

    Args:
        embeddings: raw (still quantized) ``[N, D]`` in the extractor's dtype.
        labels: int64 ``[N]``, indices into ``names``.
        names: class names in the order in which they were first taught.
        quantization: of ``embeddings``; None for float32.
        ids: int64 ``[N]``, the samples' ids in the store; empty if they are in none.
    """

    embeddings: RawArray
    labels: IntArray
    names: tuple[str, ...]
    quantization: QuantizationParameters | None
    ids: IntArray = field(default_factory=lambda: np.empty(0, np.int64))


def check_image(image: bytes) -> bytes:
    """
    Return a picture to store, unchanged.

    Raises:
        ValueError: if it is not a JPEG file.
        RequestError: if it is too large.
    """
    if not image.startswith(_JPEG_START):
        raise ValueError(f'image begins with {image[:4]!r}; it must be a JPEG file')
    if len(image) > MAX_IMAGE_BYTES:
        raise RequestError(
            f'The picture has {len(image)} bytes, of which at most {MAX_IMAGE_BYTES} are stored: '
            'set store_images to thumbnail or none, or send a smaller picture.'
        )
    return image


def embedding_digest(identity: str, data: bytes) -> bytes:
    """Return a 16-byte digest of an embedding, as stored, and of its extractor's identity."""
    return hashlib.blake2b(identity.encode() + b'\0' + data, digest_size=16).digest()
