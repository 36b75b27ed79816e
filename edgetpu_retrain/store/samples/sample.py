# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The types of samples: to be stored, as stored, and as arrays for training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import hashlib
from pathlib import Path
from typing import NamedTuple

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.label import check_label
from edgetpu_retrain.learning.arrays import IntArray
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.embedding_kind import RawArray
from edgetpu_retrain.store.samples.recording import check_recording, check_text
from edgetpu_retrain.wording import counted, named
import numpy as np

# Enough for a JPEG file of 50 megapixels; larger files would soon fill a robot's disk.
MAX_IMAGE_BYTES = 32 * 1024 * 1024

MAX_CAMERA_LENGTH = 255
"""Maximum length of a sample's ``camera``, in characters."""

# The marker 'start of image', and the first byte of the next marker: ISO/IEC 10918-1, annex B.
_JPEG_START = b'\xff\xd8\xff'


@dataclass(frozen=True, eq=False)
class Sample:
    """
    A sample to be stored.

    Args:
        label: class name.
        embeddings: raw embeddings ``[D]``, uint8, int8 or float32, by the identity of their
            extractor.
        camera: name of the camera, or topic of the bag; '' = none.
        stamp_ns: stamp of the image, nanoseconds; 0 = none.
        image: bytes of a JPEG file with the picture; None = store no picture.
        added_ns: when the sample was first stored, nanoseconds since 1970; 0 = now.
        recording: name of its recording; '' = not known; None = the recording of the camera's
            last sample or, after a pause, a new recording; see
            :func:`~edgetpu_retrain.store.samples.recording.continues`.
    """

    label: str
    embeddings: Mapping[str, RawArray]
    camera: str = ''
    stamp_ns: int = 0
    image: bytes | None = None
    added_ns: int = 0
    recording: str | None = None

    @property
    def num_bytes(self) -> int:
        """Size of the embeddings and the picture, bytes."""
        return sum(each.nbytes for each in self.embeddings.values()) + len(self.image or b'')


@dataclass(frozen=True)
class StoredSample:
    """
    A sample in the store, without its embeddings and picture.

    Args:
        sample_id: id of the sample, from 1; ids are never reused.
        label: class name.
        camera: name of the camera, or topic of the bag; '' = none.
        stamp_ns: stamp of the image, nanoseconds; 0 = none.
        has_image: whether a picture is stored.
        addition: id of the first sample of the same addition, which one undo removes.
        added_ns: when the sample was stored, nanoseconds since 1970; 0 for samples of the first
            release.
        recording: name of the sample's recording; '' = not known, as for samples of earlier
            releases.
    """

    sample_id: int
    label: str
    camera: str
    stamp_ns: int
    has_image: bool
    addition: int
    added_ns: int
    recording: str = ''


@dataclass(frozen=True)
class StoredPicture:
    """
    A sample's picture.

    Args:
        sample_id: id of the sample.
        label: class name of the sample.
        jpeg: bytes of the JPEG file.
    """

    sample_id: int
    label: str
    jpeg: bytes


class Erased(NamedTuple):
    """The result of erasing samples permanently."""

    samples: int
    """The number of erased samples."""
    copies: tuple[Path, ...]
    """Earlier databases in the folder; they may contain the erased samples."""
    questions: int = 0
    """The number of erased questions, which were dismissed before."""

    @property
    def of_questions(self) -> str:
        """The number of erased questions, as a part of a message; '' if there are none."""
        if not self.questions:
            return ''
        return f' and {counted(self.questions, "dismissed question", "dismissed questions")}'

    @property
    def remark(self) -> str:
        """Advice to delete the copies, as the end of a message; '' if there are none."""
        if not self.copies:
            return ''
        names = named([each.name for each in self.copies])
        return f'; earlier databases may still contain them, delete these: {names}'


class Unembedded(NamedTuple):
    """Numbers of samples that have no embedding by a given extractor."""

    samples: int
    """All such samples."""
    with_image: int
    """Those with a stored picture, so that they can be embedded again."""


def check_sample(sample: Sample) -> None:
    """
    Check all fields of a sample except its embeddings.

    Raises:
        RequestError: if the label, the camera or the recording is invalid, or the picture is too
            large.
        ValueError: if a time does not fit into 64 bits, or the picture is not a JPEG file.
    """
    check_label(sample.label)
    check_text('camera', sample.camera, MAX_CAMERA_LENGTH)
    check_recording(sample.recording or '')
    for name in ('stamp_ns', 'added_ns'):
        if not -(2**63) <= getattr(sample, name) < 2**63:
            raise ValueError(f'{name} is {getattr(sample, name)}; it must fit 64 bits')
    if sample.image is not None:
        check_image(sample.image)


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """
    All samples of one extractor, as arrays.

    Args:
        embeddings: raw (still quantized) embeddings ``[N, D]``, uint8, int8 or float32.
        labels: indices into ``names``, int64 ``[N]``.
        names: class names, in the order in which their first samples were stored.
        quantization: quantization of ``embeddings``; None for float32.
        ids: the samples' ids in the store, int64 ``[N]``; empty if the samples are not stored.
        recordings: number of each sample's recording, int64 ``[N]``, or empty if no recordings
            are given.  Samples whose recording is not known share a number.
    """

    embeddings: RawArray
    labels: IntArray
    names: tuple[str, ...]
    quantization: QuantizationParameters | None
    ids: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    recordings: IntArray = field(default_factory=lambda: np.empty(0, np.int64))


def check_image(image: bytes) -> bytes:
    """
    Check the bytes of a picture file to be stored, and return them unchanged.

    Raises:
        ValueError: if the file is not a JPEG file.
        RequestError: if the file is too large.
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
    """Return a 16-byte digest of an embedding's stored bytes and its extractor's identity."""
    return hashlib.blake2b(identity.encode() + b'\0' + data, digest_size=16).digest()
