# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""LoadedModel: a stored model version, prepared on the engines of all devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgetpu_retrain.runtime.engines.engine import PreparedModel
from edgetpu_retrain.runtime.models.unknown_detection import UnknownDetection
from edgetpu_retrain.store.models.model_store import ModelVersion


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """
    A stored version that can serve on every device.

    Args:
        version: the stored version.
        prepared: device name to the model that its engine prepared; at least one.
    """

    version: ModelVersion
    prepared: Mapping[str, PreparedModel]
    unknown: UnknownDetection = field(init=False)
    """The unknown detector in the model file."""

    def __post_init__(self) -> None:
        object.__setattr__(self, 'unknown', UnknownDetection(self._any.model))

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in the order of the outputs."""
        return self._any.labels

    @property
    def _any(self) -> PreparedModel:
        return next(iter(self.prepared.values()))
