# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A sample, one labelled sight of a thing: new, carried between stores, listed, in a set."""

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

# A 50 megapixel photograph; what is larger is a mistake that would fill a robot's disk.
MAX_IMAGE_BYTES = 32 * 1024 * 1024

# Start of image, then the first byte of the next marker: ISO/IEC 10918-1, annex B.
_JPEG_START = b'\xff\xd8\xff'


@dataclass(frozen=True, eq=False)
class NewSample:
    """
    What is to be stored of one sample.

    Args:
        label: class name.
        embedding: raw ``[D]`` of dtype uint8, int8 or float32.
        camera: name of the camera, '' when there was none.
        stamp_ns: stamp of the image in nanoseconds, 0 when it has none.
        image: what was embedded as a JPEG file, where it is to be kept.
        added_ns: when it was first stored, nanoseconds since 1970; 0 = now.
    """

    label: str
    embedding: RawArray
    camera: str = ''
    stamp_ns: int = 0
    image: bytes | None = None
    added_ns: int = 0


@dataclass(frozen=True, eq=False)
class CarriedSample:
    """
    All that a store knows of one sample, but for its number there.

    Args:
        label: class name.
        camera: name of the camera, '' when there was none.
        stamp_ns: stamp of the image in nanoseconds, 0 when it has none.
        added_ns: when it was first stored, nanoseconds since 1970; 0 = unknown.
        embeddings: identity of each extractor that has seen it to what that made of it, at least
            one; see :meth:`~edgetpu_retrain.store.samples.embedding_kind.EmbeddingKind.to_disk`.
        image: the picture as a JPEG file, None where it was not kept.
    """

    label: str
    camera: str
    stamp_ns: int
    added_ns: int
    embeddings: Mapping[str, bytes]
    image: bytes | None = None

    @property
    def num_bytes(self) -> int:
        """Of its embeddings and its picture."""
        return sum(map(len, self.embeddings.values())) + len(self.image or b'')


@dataclass(frozen=True)
class StoredSample:
    """
    What is known of one sample, without its numbers and pixels.

    Args:
        sample_id: its number, from 1, never used again.
        label: class name.
        camera: name of the camera, '' when there was none.
        stamp_ns: stamp of the image in nanoseconds, 0 when it has none.
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
        sample_id: number of the sample.
        label: its class name.
        jpeg: the file.
    """

    sample_id: int
    label: str
    jpeg: bytes


class Undone(NamedTuple):
    """What an undo took back."""

    label: str
    """Class name, or several with commas between them; '' when there was nothing to undo."""
    samples: int
    """How many are gone, 0 when there was nothing to undo."""


class Unembedded(NamedTuple):
    """How many samples have no embedding of an extractor."""

    samples: int
    """All of them."""
    with_image: int
    """Those whose picture is stored, so that they can be embedded again."""


def check_sample(sample: NewSample | CarriedSample) -> None:
    """
    Refuse what cannot be stored; embeddings are for others to check.

    Raises:
        RequestError: when the label is refused or the image is too large.
        ValueError: when another field is not what its class says.
    """
    check_label(sample.label)
    for name in ('stamp_ns', 'added_ns'):
        if not -(2**63) <= getattr(sample, name) < 2**63:
            raise ValueError(f'{name} is {getattr(sample, name)}; it must fit 64 bits')
    if sample.image is not None:
        check_image(sample.image)


@dataclass(frozen=True, eq=False)
class SampleSet:
    """
    All samples of one extractor at one moment.

    Args:
        embeddings: raw (still quantized) ``[N, D]`` in the extractor's dtype.
        labels: int64 ``[N]``, indices into ``names``.
        names: class names in the order in which they were first taught.
        quantization: what the numbers of ``embeddings`` mean; None for float32.
        ids: int64 ``[N]``, the samples' numbers in the store; empty when they are of none.
    """

    embeddings: RawArray
    labels: IntArray
    names: tuple[str, ...]
    quantization: QuantizationParameters | None
    ids: IntArray = field(default_factory=lambda: np.empty(0, np.int64))


def check_image(image: bytes) -> bytes:
    """
    Return a picture to be stored as it is, or refuse it.

    Raises:
        ValueError: when it is not a JPEG file.
        RequestError: when it is too large.
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
    """Return 16 bytes that stand for what one extractor made of one picture."""
    return hashlib.blake2b(identity.encode() + b'\0' + data, digest_size=16).digest()
