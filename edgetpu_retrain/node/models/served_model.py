# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
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
