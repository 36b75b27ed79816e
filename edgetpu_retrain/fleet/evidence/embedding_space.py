# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""EmbeddingSpace: decides which embeddings can be compared and used in one training."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
import hashlib
import json

from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind

ID_BYTES = 32
"""Length of a sample's id and of a space's id, bytes; both ids are SHA-256 digests."""

_TOKEN_LENGTH = 16


@dataclass(frozen=True)
class EmbeddingSpace:
    """
    What must be equal for embeddings of two robots to have the same meaning.

    Args:
        extractor: identity of the extractor, see model_file/metadata/identity_entry.py.
        kind: length, type and quantization of its embeddings.
        normalization: normalization of a float32 input, such as '-1..1'; '' = the extractor states
            none, or its input is quantized.
    """

    extractor: str
    kind: EmbeddingKind
    normalization: str

    @cached_property
    def id(self) -> str:  # noqa: A003
        """64 hexadecimal digits, the SHA-256 of all fields."""
        fields = {
            'extractor': self.extractor,
            'normalization': self.normalization,
            **self.kind.to_fields(),
        }
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()

    @property
    def token(self) -> str:
        """The first 16 digits of the id, which identify the space in NATS subjects."""
        return self.id[:_TOKEN_LENGTH]

    def sample_id(self, embedding: bytes) -> bytes:
        """
        Return the id of a sample in the fleet.

        Args:
            embedding: the embedding as it is stored, see :meth:`EmbeddingKind.to_disk`.

        Returns:
            32 bytes, the SHA-256 of the space's id and the embedding.
        """
        return hashlib.sha256(self._prefix + embedding).digest()

    @cached_property
    def _prefix(self) -> bytes:
        return bytes.fromhex(self.id)
