# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A store of small models, and a replacement for the node that serves them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path

from edgetpu_retrain.learning import Head
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.node.models.model_versions import ModelVersions
from edgetpu_retrain.runtime.engines.cpu_engine import CpuEngine
from edgetpu_retrain.runtime.engines.engine import PreparedModel
from edgetpu_retrain.store.models.choice_file import Choice, ChoiceFile
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_store import ModelStore
import numpy as np
from support.small_models import build_extractor

EXTRACTOR = build_extractor('uint8')
IDENTITY = describe(EXTRACTOR).identity
LABELS = ('cat', 'dog')
MODEL = append_head(
    EXTRACTOR,
    Head(np.eye(8, 2, dtype=np.float32), np.zeros(2, np.float32), LABELS, (-4.0, 4.0)),
)
RECORD = ModelRecord(
    labels=LABELS,
    sample_counts={'cat': 1, 'dog': 1},
    train_accuracy=1.0,
    validation_accuracy=1.0,
    quantized_validation_accuracy=1.0,
    confusion_matrix=((1, 0), (0, 1)),
    extractor=IDENTITY,
    seconds=0.0,
)


class Robot:
    """A store of models that records which version is served."""

    def __init__(self, folder: Path) -> None:
        self.models = ModelStore(folder)
        self.engine = CpuEngine(EXTRACTOR)
        self.served: list[int] = []
        self.announced: list[tuple[int, int]] = []
        self.warnings: list[str] = []
        self.ended = False

    def versions(
        self,
        identity: str = IDENTITY,
        prepare: Callable[[bytes], dict[str, PreparedModel]] | None = None,
        serve: Callable[[LoadedModel], None] | None = None,
    ) -> ModelVersions:
        return ModelVersions(
            self.models, identity, prepare or self.prepare, serve or self.serve, self.announce
        )

    def prepare(self, model: bytes) -> dict[str, PreparedModel]:
        return {'cpu': self.engine.prepare(model)}

    def announce(self, model: LoadedModel, serving: Choice) -> None:
        self.announced.append((model.version.version, serving.swaps))

    def serve(self, model: LoadedModel) -> None:
        if self.ended:
            raise CancelledError
        # Recorded before it serves, so that a restart serves it too.
        choice = ChoiceFile(self.models).current()
        assert choice is not None
        assert choice.version == model.version.version
        self.served.append(model.version.version)

    def start(self, identity: str = IDENTITY) -> int:
        """Return the version that serves after a start, 0 = none."""
        self.warnings.clear()
        model = self.versions(identity).start(self.warnings.append)
        return model.version.version if model else 0
