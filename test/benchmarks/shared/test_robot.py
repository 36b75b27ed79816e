# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from benchmarks.shared import robot
from edgetpu_retrain.demo.photographs import SUBJECTS
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.store.files.data_folder import SAMPLES_FILE
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from support.small_models import build_extractor


def test_a_store_of_any_size_is_taught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robot, '_MOST_VIEWS', 40)
    monkeypatch.setattr(robot, '_BATCH', 30)
    extractor = build_extractor('uint8', dimension=16)
    robot.teach(tmp_path / 'data', extractor, 100)
    with SampleStore(tmp_path / 'data' / SAMPLES_FILE) as store:
        taught = store.training_set(extractor=describe(extractor).identity)
    assert len(taught.labels) == 100
    assert set(taught.names) == set(SUBJECTS)
    assert len(np.unique(taught.embeddings[40:], axis=0)) > 50
