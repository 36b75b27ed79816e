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
"""The worker's thread with real small models; what it tells is collected in queues."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
import queue
from types import SimpleNamespace
from typing import Any

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.learning import FloatArray, Head
from edgetpu_retrain.model_file.append_head import append_head
from edgetpu_retrain.node.captures import Capture, Captures
from edgetpu_retrain.node.frame_worker import FrameWorker
from edgetpu_retrain.node.image_transport import RAW
from edgetpu_retrain.node.newest_frames import Frame
from edgetpu_retrain.runtime.classifier import Classifier
from edgetpu_retrain.runtime.extractor import Extractor
from edgetpu_retrain.store.embedding_kind import RawArray
import numpy as np
import pytest
from small_models import build_extractor

PATIENCE_S = 30.0
EXTRACTOR = build_extractor('uint8')
PICTURE = np.random.default_rng(1).integers(0, 256, (12, 10, 3), np.uint8)


def classifier(*labels: str) -> Classifier:
    weights = np.random.default_rng(len(labels)).normal(0, 0.1, (8, len(labels)))
    head = Head(weights.astype(np.float32), np.zeros(len(labels), np.float32), labels, (-4, 4))
    return Classifier(append_head(EXTRACTOR, head))


def frame(camera: str = 'front', arrived: float = 1.0, **changes: Any) -> Frame:
    height, width = PICTURE.shape[:2]
    fields = {
        'height': height,
        'width': width,
        'encoding': 'rgb8',
        'is_bigendian': 0,
        'step': 3 * width,
        'data': PICTURE.tobytes(),
    }
    return Frame(camera, RAW, SimpleNamespace(**fields | changes), arrived)


@dataclass
class Told:
    """The events, each kind in a queue of its own."""

    classifications: queue.Queue[tuple[Frame, tuple[str, ...], FloatArray]] = field(
        default_factory=queue.Queue
    )
    captures: queue.Queue[tuple[Capture, Frame, RawArray]] = field(default_factory=queue.Queue)
    faults: queue.Queue[tuple[Frame, Exception]] = field(default_factory=queue.Queue)
    broken: bool = False

    def classified(self, frame: Frame, labels: tuple[str, ...], scores: FloatArray) -> None:
        if self.broken:
            raise RuntimeError('the publisher broke')
        self.classifications.put((frame, labels, scores))

    def captured(self, capture: Capture, frame: Frame, embedding: RawArray) -> None:
        self.captures.put((capture, frame, embedding))

    def unusable(self, frame: Frame, error: ImageError) -> None:
        self.faults.put((frame, error))

    def failed(self, frame: Frame, error: Exception) -> None:
        self.faults.put((frame, error))


class Bench:
    """A worker with two cameras."""

    def __init__(self, model: Extractor | Classifier) -> None:
        self.told = Told()
        self.captures = Captures()
        self.worker = FrameWorker(model, ('front', 'rear'), self.captures, self.told)
        self.worker.start()

    def ask(self, **changes: Any) -> Capture:
        fields: dict[str, Any] = {
            'label': 'cat',
            'camera': '',
            'count': 1,
            'min_interval_s': 0.0,
            'since': 0.0,
        }
        capture = Capture(**fields | changes)
        self.captures.add(capture)
        return capture


@pytest.fixture
def untrained() -> Iterator[Bench]:
    bench = Bench(Extractor(EXTRACTOR))
    yield bench
    bench.worker.stop()


@pytest.fixture
def trained() -> Iterator[Bench]:
    bench = Bench(classifier('cat', 'dog'))
    yield bench
    bench.worker.stop()


def expected_embedding() -> RawArray:
    return Extractor(EXTRACTOR).embed(PICTURE)


def test_a_classifier_answers_each_frame(trained: Bench) -> None:
    sent = frame()
    trained.worker.offer(sent)
    told, labels, scores = trained.told.classifications.get(timeout=PATIENCE_S)
    assert told is sent
    assert labels == ('cat', 'dog')
    np.testing.assert_array_equal(scores, classifier('cat', 'dog').classify(PICTURE).scores)


def test_classification_and_captures_share_a_pass(trained: Bench) -> None:
    first, second = trained.ask(), trained.ask(camera='front')
    sent = frame()
    trained.worker.offer(sent)
    assert trained.told.classifications.get(timeout=PATIENCE_S)[0] is sent
    for capture in (first, second):
        told, told_frame, embedding = trained.told.captures.get(timeout=PATIENCE_S)
        assert told is capture
        assert told_frame is sent
        np.testing.assert_array_equal(embedding, expected_embedding())


def test_before_the_first_training_frames_are_only_captured(untrained: Bench) -> None:
    untrained.worker.offer(frame(arrived=1.0))
    capture = untrained.ask(since=2.0)
    untrained.worker.offer(frame(arrived=3.0))
    told, told_frame, embedding = untrained.told.captures.get(timeout=PATIENCE_S)
    assert told is capture
    assert told_frame.arrived == 3.0
    np.testing.assert_array_equal(embedding, expected_embedding())
    assert untrained.told.classifications.empty()


def test_a_picture_is_embedded_between_frames(untrained: Bench, trained: Bench) -> None:
    for bench in (untrained, trained):
        embedding = bench.worker.embed(PICTURE).result(timeout=PATIENCE_S)
        np.testing.assert_array_equal(embedding, expected_embedding())


def test_after_a_swap_the_next_frame_is_in_the_new_model(untrained: Bench) -> None:
    untrained.worker.serve(classifier('a', 'b', 'c')).result(timeout=PATIENCE_S)
    untrained.worker.offer(frame())
    assert untrained.told.classifications.get(timeout=PATIENCE_S)[1] == ('a', 'b', 'c')


def test_a_frame_without_a_picture_is_told_and_the_next_one_served(trained: Bench) -> None:
    trained.worker.offer(frame(step=1))
    told, error = trained.told.faults.get(timeout=PATIENCE_S)
    assert isinstance(error, ImageError)
    assert told.message.step == 1
    trained.worker.offer(frame())
    assert trained.told.classifications.get(timeout=PATIENCE_S)


def test_a_broken_frame_is_told_though_nobody_wants_its_embedding(untrained: Bench) -> None:
    untrained.worker.offer(frame(data=b''))
    assert isinstance(untrained.told.faults.get(timeout=PATIENCE_S)[1], ImageError)


def test_whatever_breaks_costs_one_frame(trained: Bench) -> None:
    trained.told.broken = True
    trained.worker.offer(frame())
    assert 'the publisher broke' in str(trained.told.faults.get(timeout=PATIENCE_S)[1])
    trained.told.broken = False
    trained.worker.offer(frame())
    assert trained.told.classifications.get(timeout=PATIENCE_S)


def test_what_was_asked_of_a_worker_that_ended_is_cancelled(trained: Bench) -> None:
    trained.worker.stop()
    with pytest.raises(CancelledError):
        trained.worker.embed(PICTURE).result(timeout=PATIENCE_S)
