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
"""The steps from a goal to a model that serves, with real stores and real small models."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

from edgetpu_retrain.errors import ModelFileError, RequestError, StoreError
from edgetpu_retrain.learning import Progress
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.node.model_training import (
    Cancellation,
    ModelTraining,
    newest_servable,
    TrainedModel,
)
from edgetpu_retrain.retraining import TrainingCancelled, TrainingOptions
from edgetpu_retrain.runtime.classifier import Classifier
from edgetpu_retrain.store.models import ModelStore
from edgetpu_retrain.store.samples import SampleStore
import numpy as np
import pytest
from small_models import build_extractor

EXTRACTOR = build_extractor('uint8')
DESCRIPTION = describe(EXTRACTOR)
OPTIONS = TrainingOptions(num_iter=20)


class Robot:
    """Two stores, and a place where the serving model would be."""

    def __init__(self, folder: Path) -> None:
        self.samples = SampleStore(folder / 'samples.db')
        self.models = ModelStore(folder / 'models')
        self.serving: list[Classifier] = []
        self.progress: list[Progress] = []

    def serve(self, classifier: Classifier) -> Future[None]:
        # Before it serves it is stored: a robot that starts again goes on with what it had.
        assert self.models.latest() is not None
        self.serving.append(classifier)
        served: Future[None] = Future()
        served.set_result(None)
        return served

    def training(self, load: type[Classifier] = Classifier) -> ModelTraining:
        return ModelTraining(
            self.samples, self.models, EXTRACTOR, DESCRIPTION.identity, load, self.serve
        )

    def train(self, cancellation: Cancellation | None = None) -> TrainedModel:
        return self.training().run(OPTIONS, cancellation or Cancellation(), self.progress.append)

    def warnings_at_start(self, identity: str = DESCRIPTION.identity) -> tuple[int, list[str]]:
        """Return the version that would serve, 0 = none, and what is said about others."""
        warnings: list[str] = []
        stored = newest_servable(self.models, identity, Classifier, warnings.append)
        return (stored.version.version if stored else 0), warnings


@pytest.fixture
def robot(tmp_path: Path) -> Robot:
    robot = Robot(tmp_path)
    rng = np.random.default_rng(0)
    for label, centre in (('cat', 60), ('dog', 180)):
        for _ in range(6):
            embedding = rng.normal(centre, 10, DESCRIPTION.dimension).clip(0, 255).astype(np.uint8)
            robot.samples.add(
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
    assert robot.serving[0].model == trained.outcome.model
    # Every 10th of the runs that measure and of the one that makes the model.
    seen = [progress.iteration for progress in robot.progress]
    assert seen == list(range(0, robot.progress[0].num_iter, 10))
    assert robot.train().version.record.parent_version == 1


def test_a_wish_to_stop_before_the_commitment_leaves_nothing(robot: Robot) -> None:
    cancellation = Cancellation()

    class CancelledWhileLoading(Classifier):
        """Asked to stop when it is all but done."""

        def warm_up(self) -> None:
            assert cancellation.request()

    with pytest.raises(TrainingCancelled):
        robot.training(CancelledWhileLoading).run(OPTIONS, cancellation, robot.progress.append)
    assert robot.models.versions() == ()
    assert robot.serving == []


def test_a_wish_to_stop_after_the_commitment_is_too_late() -> None:
    cancellation = Cancellation()
    cancellation.commit()
    assert not cancellation.request()
    assert not cancellation.requested()


def test_a_wish_to_stop_ends_the_iterations(robot: Robot) -> None:
    cancellation = Cancellation()
    assert cancellation.request()
    with pytest.raises(TrainingCancelled, match='after iteration 0;'):
        robot.train(cancellation)
    assert robot.serving == []


def test_a_model_that_cannot_serve_is_not_stored(robot: Robot) -> None:
    class Unloadable(Classifier):
        """What no runtime can run."""

        def __init__(self, _model: bytes) -> None:
            raise ModelFileError('the runtime cannot run it')

    with pytest.raises(ModelFileError):
        robot.training(Unloadable).run(OPTIONS, Cancellation(), robot.progress.append)
    assert robot.models.versions() == ()


def test_a_model_that_cannot_be_stored_does_not_serve(robot: Robot) -> None:
    robot.models.folder.rename(robot.models.folder.with_name('gone'))
    with pytest.raises(StoreError):
        robot.train()
    assert robot.serving == []


def test_one_class_is_refused(robot: Robot) -> None:
    robot.samples.remove('dog', 0, extractor=DESCRIPTION.identity)
    with pytest.raises(RequestError, match="only 'cat' was taught"):
        robot.train()


def test_a_start_goes_on_with_the_newest_model(robot: Robot) -> None:
    assert robot.warnings_at_start() == (0, [])
    robot.train()
    robot.train()
    assert robot.warnings_at_start() == (2, [])


def test_a_damaged_model_is_passed_over_with_a_warning(robot: Robot) -> None:
    robot.train()
    path = robot.train().version.path
    path.write_bytes(path.read_bytes()[:-1])
    version, warnings = robot.warnings_at_start()
    assert version == 1
    assert len(warnings) == 1
    assert 'model version 2 does not serve' in warnings[0]


def test_a_model_of_another_extractor_does_not_serve(robot: Robot) -> None:
    robot.train()
    version, warnings = robot.warnings_at_start(identity='f' * 64)
    assert version == 0
    assert f'trained for extractor {DESCRIPTION.identity[:12]}' in warnings[0]
    assert 'set extractor to that one, or train again' in warnings[0]
