# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""LoadedModel: a stored model version, prepared on the engines of all devices."""

from __future__ import annotations

from collections.abc import Mapping

from edgetpu_retrain.runtime.engines.engine import PreparedModel
from edgetpu_retrain.runtime.models.unknown_detection import UnknownDetection
from edgetpu_retrain.store.models.model_store import ModelVersion


class LoadedModel:
    """
    A stored version that can serve on every device.

    Args:
        version: the stored version.
        prepared: the model as prepared by each device's engine, by device name; at least one.

    Attributes:
        labels: class names in the order of the model's scores.
        unknown: the unknown detector in the model file.
    """

    def __init__(self, version: ModelVersion, prepared: Mapping[str, PreparedModel]) -> None:
        self.version = version
        self.prepared = prepared
        of_any_device = next(iter(prepared.values()))
        self.labels = of_any_device.labels
        self.unknown = UnknownDetection(of_any_device.model)
