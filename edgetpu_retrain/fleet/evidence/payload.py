# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The unsigned part of a pack: the bytes of the samples that it labels.

Numbers are big-endian::

    lengths     of the thumbnail of each labelled sample; 0 = no thumbnail, _HOLE = sample left out
    embeddings  of all samples that were not left out
    thumbnails  of all samples that have one
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
import hashlib
import struct
from typing import NamedTuple

from edgetpu_retrain.errors import PackError
from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.evidence.manifest import labelled_samples
import numpy as np

MAX_PICTURE_BYTES = 64 << 10
"""The maximum length of a thumbnail, bytes."""

LENGTH_BYTES = 4
"""Number of bytes that a sample needs in a payload besides its embedding and thumbnail."""

_HOLE = 2**32 - 1
# A JPEG file begins with the marker SOI (FF D8) and the FF of the next marker, and ends with the
# marker EOI (FF D9): ITU-T T.81, annex B.
_JPEG_BEGIN, _JPEG_END = b'\xff\xd8\xff', b'\xff\xd9'


class Payload(NamedTuple):
    """
    The bytes of a sample.

    Args:
        embedding: the embedding as it is stored, see :meth:`EmbeddingKind.to_disk`.
        jpeg: a thumbnail; None = no thumbnail.
    """

    embedding: bytes
    jpeg: bytes | None = None


def write_payload(
    claims: Sequence[Claim], pictures: Mapping[bytes, bytes], payloads: Mapping[bytes, Payload]
) -> bytes:
    """
    Return the payload of a pack.

    Args:
        claims: the claims of the pack.
        pictures: the SHA-256 of each thumbnail, by the id of its sample.
        payloads: bytes of samples, by id; labelled samples without an entry are left out.

    Raises:
        PackError: if a thumbnail is not the one that was signed, is too large, or is not a JPEG.
    """
    lengths, embeddings, thumbnails = [], [], []
    for sample in labelled_samples(claims):
        payload = payloads.get(sample)
        jpeg = (payload.jpeg if payload is not None else None) or b''
        lengths.append(_HOLE if payload is None else len(jpeg))
        if payload is not None:
            embeddings.append(payload.embedding)
        if jpeg:
            _check_jpeg(jpeg, pictures.get(sample))
            thumbnails.append(jpeg)
    return b''.join([struct.pack(f'>{len(lengths)}I', *lengths), *embeddings, *thumbnails])


def read_payload(
    data: bytes, claims: Sequence[Claim], pictures: Mapping[bytes, bytes], space: EmbeddingSpace
) -> dict[bytes, Payload]:
    """
    Return the bytes of the samples that were not left out of a payload, by id.

    Args:
        data: the payload, untrusted bytes.
        claims: the claims of the pack.
        pictures: the SHA-256 of each thumbnail, by the id of its sample.
        space: the space of the samples.

    Raises:
        PackError: of kind 'bad payload' if the payload does not fit the claims, or the bytes of a
            sample are not valid.
    """
    return dict(_read(data, claims, pictures, space))


def check_payload(sample: bytes, payload: Payload, space: EmbeddingSpace) -> None:
    """
    Raise a PackError of kind 'bad payload' if :func:`read_payload` would reject a sample.

    Args:
        sample: the sample's id.
        payload: its bytes.
        space: the space of its embedding.
    """
    embedding, jpeg = payload
    if len(embedding) != space.kind.num_bytes or space.sample_id(embedding) != sample:
        raise PackError('bad payload', f'sample {sample.hex()} has bytes of another one')
    _check_finite(embedding, space)
    if jpeg is not None:
        _check_jpeg(jpeg, hashlib.sha256(jpeg).digest())


def _read(
    data: bytes, claims: Sequence[Claim], pictures: Mapping[bytes, bytes], space: EmbeddingSpace
) -> Iterator[tuple[bytes, Payload]]:
    samples = labelled_samples(claims)
    if len(data) < LENGTH_BYTES * len(samples):
        raise PackError('bad payload', f'a payload ends after {len(data)} bytes')
    lengths = struct.unpack_from(f'>{len(samples)}I', data)
    present = [each for each in zip(samples, lengths, strict=True) if each[1] != _HOLE]
    begin, size = LENGTH_BYTES * len(samples), space.kind.num_bytes
    end = jpeg_at = begin + size * len(present)
    if end + sum(length for _, length in present) != len(data):
        raise PackError('bad payload', f'a payload of {len(data)} bytes does not fit its claims')
    _check_finite(data[begin:end], space)
    for (sample, length), at in zip(present, range(begin, end, size), strict=True):
        after, jpeg_end = at + size, jpeg_at + length
        embedding, jpeg = data[at:after], data[jpeg_at:jpeg_end]
        jpeg_at = jpeg_end
        if space.sample_id(embedding) != sample:
            raise PackError('bad payload', f'sample {sample.hex()} has bytes of another one')
        if length:
            _check_jpeg(jpeg, pictures.get(sample))
        yield sample, Payload(embedding, jpeg or None)


def _check_finite(embeddings: bytes, space: EmbeddingSpace) -> None:
    if space.kind.dtype == 'float32' and not np.isfinite(np.frombuffer(embeddings, '<f4')).all():
        raise PackError('bad payload', 'an embedding has numbers that are not finite')


def _check_jpeg(jpeg: bytes, digest: bytes | None) -> None:
    if len(jpeg) > MAX_PICTURE_BYTES:
        raise PackError('bad payload', f'a thumbnail has {len(jpeg)} bytes')
    if hashlib.sha256(jpeg).digest() != digest:
        raise PackError('bad payload', 'a thumbnail is not the one whose hash was signed')
    if not (jpeg.startswith(_JPEG_BEGIN) and jpeg.endswith(_JPEG_END)):
        raise PackError('bad payload', 'a thumbnail is not a JPEG file')
