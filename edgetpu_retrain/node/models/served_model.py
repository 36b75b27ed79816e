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

from dataclasses import dataclass, field

from edgetpu_retrain.runtime.engines.engine import Servable
from edgetpu_retrain.runtime.models.unknown_detection import UnknownDetection
from edgetpu_retrain.store.models.model_store import ModelVersion


@dataclass(frozen=True, eq=False)
class ServedModel:
    """
    A version, loaded.

    Args:
        version: as it is stored.
        servable: the same, as an engine has prepared it.
    """

    version: ModelVersion
    servable: Servable
    unknown: UnknownDetection = field(init=False)
    """What the model learned about unknown things."""

    def __post_init__(self) -> None:
        object.__setattr__(self, 'unknown', UnknownDetection(self.servable.model))

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in the order of the outputs."""
        return self.servable.labels
