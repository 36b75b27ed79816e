# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A data folder with small samples, and with real models trained on them."""

from __future__ import annotations

from collections.abc import Iterator
import itertools
from pathlib import Path

from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.retraining import retrain
from edgetpu_retrain.store.models.model_store import ModelStore, ModelVersion
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np
from support.small_models import build_extractor

DIMENSION = 16
_OPTIONS = TrainingOptions(num_iter=200, learning_rate=0.2, batch_size=20)


class TaughtFolder:
    """
    A data folder.

    Args:
        path: the folder, which must exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.extractor = build_extractor('uint8', dimension=DIMENSION)
        self._about = describe(self.extractor)
        self._seeds: Iterator[int] = itertools.count()

    def add(
        self, label: str, count: int, looks_like: int, *, recording: str = 'first',
        image: bytes | None = None,
    ) -> tuple[int, ...]:  # fmt: skip
        """Store samples around one corner for each value of ``looks_like``; return their ids."""
        rng = np.random.default_rng(next(self._seeds))
        corner = np.full(DIMENSION, 60.0) + 120.0 * np.eye(DIMENSION)[looks_like]
        rows = np.clip(corner + rng.normal(0.0, 12.0, (count, DIMENSION)), 0, 255)
        identity = self._about.identity
        samples = [
            Sample(label, {identity: row}, recording=recording, image=image)
            for row in rows.astype(np.uint8)
        ]
        with SampleStore(self.path / 'samples.db') as store:
            return store.add(samples, {identity: self._about.quantization})

    def train(self) -> ModelVersion:
        """Train on all samples, and store the model as a version."""
        with SampleStore(self.path / 'samples.db') as store:
            samples = store.training_set(extractor=self._about.identity)
        outcome = retrain(samples, self.extractor, _OPTIONS)
        return ModelStore(self.path / 'models').save(outcome.model, outcome.record())
