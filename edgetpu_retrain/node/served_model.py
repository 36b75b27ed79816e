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
"""ServedModel: a stored model version that is loaded and ready to answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from edgetpu_retrain.learning.head import FloatArray
from edgetpu_retrain.runtime.engine import Servable
from edgetpu_retrain.store.embedding_kind import RawArray
from edgetpu_retrain.store.models import ModelVersion


class UnknownDetection(Protocol):
    """What a model learned about things that are none of its classes."""

    threshold: float
    """Scores above it mean unknown."""

    def unknown_score(self, scores: FloatArray, embedding: RawArray) -> float:
        """
        Return how unknown a frame looks; the larger, the less it fits any class.

        Args:
            scores: float32 ``[C]``, the model's.
            embedding: raw ``[D]``, as the extractor wrote it.
        """


@dataclass(frozen=True, eq=False)
class ServedModel:
    """
    A version, loaded.

    Args:
        version: as it is stored.
        servable: the same, as an engine has prepared it.
        unknown: None for a model that learned nothing about unknown things.
    """

    version: ModelVersion
    servable: Servable
    unknown: UnknownDetection | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in the order of the outputs."""
        return self.servable.labels
