# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The steps from a goal to a model that serves, with real stores and real small models."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from edgetpu_retrain.errors import ModelFileError, RequestError, StoreError
from edgetpu_retrain.learning import Progress
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.node.models import model_training
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.node.models.model_training import (
    Cancellation,
    FramesFirst,
    LONGEST_PAUSE_S,
    train_model,
    TrainedModel,
)
from edgetpu_retrain.node.models.model_versions import ModelVersions
from edgetpu_retrain.retraining import TrainingCancelled
from edgetpu_retrain.runtime.engines.cpu_engine import CpuEngine
from edgetpu_retrain.runtime.engines.engine import PreparedModel
from edgetpu_retrain.store.models.model_store import ModelStore
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np
import pytest
from support.samples import add_sample
from support.small_models import build_extractor

EXTRACTOR = build_extractor('uint8')
DESCRIPTION = describe(EXTRACTOR)
OPTIONS = TrainingOptions(num_iter=20)


class Robot:
    """Two stores, and a place where the serving model would be."""

    def __init__(self, folder: Path) -> None:
        self.samples = SampleStore(folder / 'samples.db')
        self.models = ModelStore(folder / 'models')
        self.engine = CpuEngine(EXTRACTOR)
        self.serving: list[LoadedModel] = []
        self.progress: list[Progress] = []
        self.full_disk = False
        self.waits: list[float] = []

    def serve(self, model: LoadedModel) -> None:
        self.serving.append(model)

    def keep_models(self) -> int:
        assert self.serving
        if self.full_disk:
            raise StoreError('Cannot delete old models')
        return 20

    def prepare(self, model: bytes) -> dict[str, PreparedModel]:
        return {'cpu': self.engine.prepare(model)}

    def train(
        self,
        cancellation: Cancellation | None = None,
        prepare: Callable[[bytes], dict[str, PreparedModel]] | None = None,
    ) -> TrainedModel:
        versions = ModelVersions(
            self.models,
            DESCRIPTION.identity,
            prepare or self.prepare,
            self.serve,
            lambda _model, _choice: None,
        )
        return train_model(
            self.samples,
            EXTRACTOR,
            versions,
            OPTIONS,
            cancellation or Cancellation(),
            self.progress.append,
            self.waits.append,
            self.keep_models,
        )


@pytest.fixture
def robot(tmp_path: Path) -> Robot:
    robot = Robot(tmp_path)
    rng = np.random.default_rng(0)
    for label, centre in (('cat', 60), ('dog', 180)):
        for _ in range(6):
            embedding = rng.normal(centre, 10, DESCRIPTION.dimension).clip(0, 255).astype(np.uint8)
            add_sample(
                robot.samples,
                label,
                embedding,
                extractor=DESCRIPTION.identity,
                quantization=DESCRIPTION.quantization,
            )
    return robot


def test_a_trained_model_is_stored_and_serves(robot: Robot) -> None:
    trained = robot.train()
    assert trained.version.version == 1
    assert trained.version.read_model() == trained.outcome.model
    assert trained.version.record.labels == ('cat', 'dog')
    assert robot.serving[0].version == trained.version
    assert robot.serving[0].prepared['cpu'].model == trained.outcome.model
    assert trained.remark == ''
    # Every 10th of the runs that measure and of the one that makes the model.
    seen = [progress.iteration for progress in robot.progress]
    assert seen == list(range(0, robot.progress[0].num_iter, 10))
    assert robot.train().version.record.parent_version == 1


def test_a_cancellation_before_the_commit_leaves_nothing(robot: Robot) -> None:
    cancellation = Cancellation()

    def cancelled_meanwhile(model: bytes) -> dict[str, PreparedModel]:
        assert cancellation.request()
        return robot.prepare(model)

    with pytest.raises(TrainingCancelled):
        robot.train(cancellation, cancelled_meanwhile)
    assert robot.models.versions() == ()
    assert robot.serving == []


def test_a_cancellation_after_the_commit_is_too_late() -> None:
    cancellation = Cancellation()
    cancellation.commit()
    assert not cancellation.request()
    assert not cancellation.requested()


def test_a_cancellation_ends_the_iterations(robot: Robot) -> None:
    cancellation = Cancellation()
    assert cancellation.request()
    with pytest.raises(TrainingCancelled, match='after iteration 0;'):
        robot.train(cancellation)
    assert robot.serving == []


def test_a_model_that_cannot_serve_is_not_stored(robot: Robot) -> None:
    def unloadable(_model: bytes) -> dict[str, PreparedModel]:
        raise ModelFileError('the runtime cannot run it')

    with pytest.raises(ModelFileError):
        robot.train(prepare=unloadable)
    assert robot.models.versions() == ()


def test_a_model_that_cannot_be_stored_does_not_serve(robot: Robot) -> None:
    robot.models.folder.rename(robot.models.folder.with_name('gone'))
    robot.models.folder.touch()
    with pytest.raises(StoreError):
        robot.train()
    assert robot.serving == []


def test_one_class_is_refused(robot: Robot) -> None:
    robot.samples.remove('dog', 0, extractor=DESCRIPTION.identity)
    with pytest.raises(RequestError, match="only 'cat' was taught"):
        robot.train()


def test_old_models_that_cannot_be_deleted_are_a_remark(robot: Robot) -> None:
    robot.full_disk = True
    trained = robot.train()
    assert trained.remark == 'Cannot delete old models'
    assert robot.serving[0].version == trained.version


def test_before_each_step_it_waits_until_no_frame_is_in_work(
    robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Otherwise the time in which a busy machine runs another process would count as a pause.
    standing = partial(FramesFirst, clock=lambda: 0.0)
    monkeypatch.setattr(model_training, 'FramesFirst', standing)
    robot.train()
    assert len(robot.waits) > robot.progress[0].num_iter
    assert set(robot.waits) == {LONGEST_PAUSE_S}


def test_a_training_works_for_as_long_as_it_has_paused() -> None:
    now, frame_s, waits = 0.0, 0.03, 0

    def wait(timeout_s: float) -> None:
        nonlocal now, waits
        waits += 1
        now += min(frame_s, timeout_s)

    pause = FramesFirst(wait, lambda: now)
    pause()
    assert (waits, now) == (1, 0.03)
    pause()
    now = 0.059
    pause()
    assert waits == 1
    now = 0.061
    pause()
    assert waits == 2
    # A device that hangs delays each pause by no more than the longest one.
    now, frame_s = 1.0, 60.0
    pause()
    assert now == 1.0 + LONGEST_PAUSE_S
    # Without frames it waits for nothing, and asks before each step.
    now, frame_s = 2.0, 0.0
    pause()
    pause()
    assert (waits, now) == (5, 2.0)
