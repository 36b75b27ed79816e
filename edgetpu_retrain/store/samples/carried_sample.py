# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
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
