# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""CarriedSample: a sample on its way from one store to another, embeddings and all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import hashlib


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


def embedding_digest(identity: str, data: bytes) -> bytes:
    """Return 16 bytes that stand for what one extractor made of one picture."""
    return hashlib.blake2b(identity.encode() + b'\0' + data, digest_size=16).digest()
