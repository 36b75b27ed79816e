# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The worker's thread with real small models; what it tells is collected in queues."""

# Without `from __future__ import annotations`, with which pytest 6 cannot load a dataclass.

from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
import queue
import threading
from types import SimpleNamespace
from typing import Any

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.learning import FloatArray, Head
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.node.cameras.detections import BoxAnswer
from edgetpu_retrain.node.cameras.image_transport import RAW
from edgetpu_retrain.node.frames.captures import Capture, Captures
from edgetpu_retrain.node.frames.frame_statistics import FrameStatistics, STAGES
from edgetpu_retrain.node.frames.frame_worker import FrameWorker
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.node.models.served_model import ServedModel
from edgetpu_retrain.pictures.image_conversion import RgbArray
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.runtime.engines.cpu_engine import CpuEngine
from edgetpu_retrain.runtime.models.classifier import Classifier
from edgetpu_retrain.runtime.models.extractor import Extractor
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_store import ModelVersion
from edgetpu_retrain.store.samples.embedding_kind import RawArray
import numpy as np
import pytest
from support.small_models import build_extractor

PATIENCE_S = 30.0
EXTRACTOR = build_extractor('uint8')
PICTURE = np.random.default_rng(1).integers(0, 256, (12, 10, 3), np.uint8)


def retrained(*labels: str) -> bytes:
    weights = np.random.default_rng(len(labels)).normal(0, 0.1, (8, len(labels)))
    head = Head(weights.astype(np.float32), np.zeros(len(labels), np.float32), labels, (-4, 4))
    return append_head(EXTRACTOR, head)


def model(engine: CpuEngine, *labels: str) -> ServedModel:
    record = ModelRecord(
        labels=labels,
        sample_counts=dict.fromkeys(labels, 1),
        train_accuracy=1.0,
        validation_accuracy=1.0,
        quantized_validation_accuracy=1.0,
        confusion_matrix=((0,) * len(labels),) * len(labels),
        extractor='',
        seconds=0.0,
    )
    version = ModelVersion(len(labels), Path('nowhere'), record, sha256='')
    return ServedModel(version, engine.prepare(retrained(*labels)))


def frame(camera: str = 'front', arrived: float = 1.0, **changes: Any) -> Frame:
    height, width = PICTURE.shape[:2]
    fields = {
        'height': height,
        'width': width,
        'encoding': 'rgb8',
        'is_bigendian': 0,
        'step': 3 * width,
        'data': PICTURE.tobytes(),
        'header': SimpleNamespace(frame_id=''),
    }
    return Frame(camera, RAW, SimpleNamespace(**fields | changes), arrived)


@dataclass
class Told:
    """The events, each kind in a queue of its own."""

    classifications: queue.Queue[tuple[Frame, ServedModel, FloatArray]] = field(
        default_factory=queue.Queue
    )
    embeddings: queue.Queue[tuple[Frame, RawArray]] = field(default_factory=queue.Queue)
    captures: queue.Queue[tuple[Capture, Frame, RawArray]] = field(default_factory=queue.Queue)
    pictures: list[RgbArray] = field(default_factory=list)
    refusals: queue.Queue[tuple[Capture, Exception]] = field(default_factory=queue.Queue)
    faults: queue.Queue[tuple[Frame, Exception]] = field(default_factory=queue.Queue)
    detections: queue.Queue[tuple[Frame, ServedModel, Sequence[BoxAnswer], int]] = field(
        default_factory=queue.Queue
    )
    order: list[str] = field(default_factory=list)
    broken: bool = False
    slow: threading.Event | None = None
    listens: bool = False

    def classified(
        self, frame: Frame, model: ServedModel, scores: FloatArray, embedding: RawArray
    ) -> None:
        if self.broken:
            raise RuntimeError('the publisher broke')
        np.testing.assert_array_equal(embedding, expected_embedding(frame.region))
        if self.slow is not None:
            self.slow.wait(PATIENCE_S)
        self.order.append(frame.camera)
        self.classifications.put((frame, model, scores))

    def wants_embeddings(self) -> bool:
        return self.listens

    def embedded(self, frame: Frame, embedding: RawArray) -> None:
        self.embeddings.put((frame, embedding))

    def captured(self, capture: Capture, frame: Frame, rgb: RgbArray, embedding: RawArray) -> None:
        self.pictures.append(rgb)
        self.captures.put((capture, frame, embedding))

    def not_captured(self, capture: Capture, error: Exception) -> None:
        self.refusals.put((capture, error))

    def detected(
        self, frame: Frame, model: ServedModel, answers: Sequence[BoxAnswer], skipped: int
    ) -> None:
        self.order.append('boxes')
        self.detections.put((frame, model, answers, skipped))

    def unusable(self, frame: Frame, error: ImageError) -> None:
        self.faults.put((frame, error))

    def failed(self, frame: Frame, error: Exception) -> None:
        self.faults.put((frame, error))


class Bench:
    """A worker with two cameras."""

    def __init__(self, *labels: str) -> None:
        self.engine = CpuEngine(EXTRACTOR)
        serving = model(self.engine, *labels) if labels else None
        if serving is not None:
            self.engine.serve(serving.servable)
        self.told = Told()
        self.captures = Captures()
        self.statistics = FrameStatistics(('front', 'rear'))
        self.worker = FrameWorker(
            self.engine, serving, ('front', 'rear'), self.captures, self.told, self.statistics
        )
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
    bench = Bench()
    yield bench
    bench.worker.stop()


@pytest.fixture
def trained() -> Iterator[Bench]:
    bench = Bench('cat', 'dog')
    yield bench
    bench.worker.stop()


def expected_embedding(region: Region | None = None) -> RawArray:
    return Extractor(EXTRACTOR).embed(region.cut(PICTURE) if region else PICTURE)


def detection(name: str, x: float, y: float, width: float, height: float) -> SimpleNamespace:
    center = SimpleNamespace(position=SimpleNamespace(x=x, y=y), theta=0.0)
    bbox = SimpleNamespace(center=center, size_x=width, size_y=height)
    return SimpleNamespace(id=name, bbox=bbox, results=[])


def detected(*boxes: SimpleNamespace, **changes: Any) -> Frame:
    return replace(frame(**changes), detections=SimpleNamespace(detections=list(boxes)))


def test_a_classifier_answers_each_frame(trained: Bench) -> None:
    sent = frame()
    trained.worker.offer(sent)
    told, serving, scores = trained.told.classifications.get(timeout=PATIENCE_S)
    assert told is sent
    assert serving.labels == ('cat', 'dog')
    expected = Classifier(retrained('cat', 'dog')).classify(PICTURE).scores
    np.testing.assert_array_equal(scores, expected)


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
    swapped = model(untrained.engine, 'a', 'b', 'c')
    untrained.worker.serve(swapped).result(timeout=PATIENCE_S)
    untrained.worker.offer(frame())
    assert untrained.told.classifications.get(timeout=PATIENCE_S)[1] is swapped


def test_a_swap_ends_when_all_answers_of_the_old_model_are_told(trained: Bench) -> None:
    trained.told.slow = threading.Event()
    trained.worker.offer(frame())
    swap = trained.worker.serve(model(trained.engine, 'a', 'b', 'c'))
    threading.Timer(0.05, trained.told.slow.set).start()
    swap.result(timeout=PATIENCE_S)
    assert trained.told.classifications.get_nowait()[1].labels == ('cat', 'dog')


def test_an_answer_does_not_wait_for_a_frame_that_never_reaches_the_model(
    trained: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained.worker.stop()
    trained.worker.offer(frame('front'))
    trained.worker.offer(frame('rear', step=1))
    original = trained.worker._serve
    told_before: list[bool] = []

    def serve(sent: Frame) -> None:
        original(sent)
        if sent.camera == 'rear':
            told_before.append(trained.worker._answering._held is None)

    monkeypatch.setattr(trained.worker, '_serve', serve)
    trained.worker.start()
    assert trained.told.classifications.get(timeout=PATIENCE_S)
    trained.worker.stop()
    assert told_before == [True]


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


def test_what_waits_when_the_worker_ends_is_cancelled(trained: Bench) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        go_on.wait(PATIENCE_S)

    first = trained.worker._between_frames(hold)
    assert begun.wait(PATIENCE_S)
    waiting = trained.worker.embed(PICTURE)
    with ThreadPoolExecutor(max_workers=1) as other:
        stopped = other.submit(trained.worker.stop)
        while not trained.worker._stopping:
            go_on.wait(0.01)
        go_on.set()
        stopped.result(PATIENCE_S)
    assert first.result(PATIENCE_S) is None
    assert waiting.cancelled()


def test_who_asked_for_something_that_breaks_is_told_and_who_gave_up_is_not_served(
    trained: Bench,
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        go_on.wait(PATIENCE_S)

    trained.worker._between_frames(hold)
    assert begun.wait(PATIENCE_S)
    given_up = trained.worker.embed(PICTURE)
    assert given_up.cancel()
    broken = trained.worker.embed(np.zeros((0, 0, 3), np.uint8))
    go_on.set()
    with pytest.raises(ImageError):
        broken.result(PATIENCE_S)
    assert trained.worker.embed(PICTURE).result(PATIENCE_S) is not None


def test_embeddings_are_told_only_while_somebody_listens(untrained: Bench, trained: Bench) -> None:
    for bench in (untrained, trained):
        bench.worker.offer(frame())
        bench.worker.embed(PICTURE).result(timeout=PATIENCE_S)
        assert bench.told.embeddings.empty()
        bench.told.listens = True
        sent = frame(arrived=2.0)
        bench.worker.offer(sent)
        told, embedding = bench.told.embeddings.get(timeout=PATIENCE_S)
        assert told is sent
        np.testing.assert_array_equal(embedding, expected_embedding())


def test_a_region_is_embedded_instead_of_the_whole(trained: Bench) -> None:
    region = Region(2, 1, 6, 5)
    trained.ask(region=region)
    trained.worker.offer(frame())
    _, _, embedding = trained.told.captures.get(timeout=PATIENCE_S)
    cut = PICTURE[1:6, 2:8]
    np.testing.assert_array_equal(embedding, Extractor(EXTRACTOR).embed(cut))
    np.testing.assert_array_equal(trained.told.pictures[0], cut)


def test_a_region_beyond_the_image_is_told_and_the_frame_still_answered(trained: Bench) -> None:
    capture = trained.ask(region=Region(5, 0, 10, 1))
    trained.worker.offer(frame())
    assert trained.told.classifications.get(timeout=PATIENCE_S)
    told, error = trained.told.refusals.get(timeout=PATIENCE_S)
    assert told is capture
    assert 'region of interest 10x1+5+0 reaches beyond the image of 10x12' in str(error)


def test_what_became_of_the_frames_is_counted_and_timed(trained: Bench) -> None:
    trained.worker.offer(frame())
    trained.told.classifications.get(timeout=PATIENCE_S)
    trained.worker.offer(frame(step=1))
    trained.told.faults.get(timeout=PATIENCE_S)
    trained.worker.stop()
    trained.worker.start()
    trained.worker.offer(frame())
    trained.told.classifications.get(timeout=PATIENCE_S)
    trained.worker.stop()
    numbers = trained.statistics.of('front')
    assert numbers.counts == {
        'received': 3,
        'dropped': 0,
        'classified': 2,
        'unusable': 1,
        'lost': 0,
    }
    assert set(numbers.latencies) == set(STAGES)
    assert trained.statistics.of('rear').latencies == {}


def test_a_camera_is_used_for_its_region_and_taught_another(trained: Bench) -> None:
    whole = Region(0, 0, 10, 12)
    trained.ask(region=whole)
    trained.worker.offer(replace(frame(), region=Region(2, 1, 6, 5)))
    # Told.classified compares with what the camera's region embeds to.
    assert trained.told.classifications.get(timeout=PATIENCE_S)
    _, _, embedding = trained.told.captures.get(timeout=PATIENCE_S)
    np.testing.assert_array_equal(embedding, expected_embedding())


def test_a_region_beyond_the_image_makes_it_unusable(trained: Bench) -> None:
    trained.worker.offer(replace(frame(), region=Region(8, 0, 3, 3)))
    _, error = trained.told.faults.get(timeout=PATIENCE_S)
    assert 'reaches beyond the image of 10x12 pixels' in str(error)


def test_boxes_are_answered_clipped_and_empty_ones_counted(trained: Bench) -> None:
    inside, partly = detection('a', 5, 3, 6, 4), detection('b', 0, 12, 8, 6)
    outside = detection('c', 50, 3, 6, 4)
    sent = detected(inside, outside, partly)
    trained.worker.offer(sent)
    told, serving, answers, skipped = trained.told.detections.get(timeout=PATIENCE_S)
    assert told is sent
    assert skipped == 1
    assert [answer.box.detection for answer in answers] == [inside, partly]
    for answer, region in zip(answers, (Region(2, 1, 6, 4), Region(0, 9, 4, 3)), strict=True):
        assert answer.box.region == region
        expected = Classifier(serving.servable.model, device='cpu').classify(region.cut(PICTURE))
        np.testing.assert_array_equal(answer.scores, expected.scores)
        np.testing.assert_array_equal(answer.embedding, expected_embedding(region))
    trained.worker.stop()
    assert trained.statistics.of('front').counts['received'] == 0
    assert trained.statistics.of('front').detections['boxes classified'] == 2
    assert trained.statistics.of('front').detections['boxes skipped'] == 1
    assert trained.statistics.of('rear').detections == {}


def test_an_image_without_boxes_is_answered_without_boxes(trained: Bench) -> None:
    trained.worker.offer(detected())
    assert trained.told.detections.get(timeout=PATIENCE_S)[2:] == ([], 0)


def test_before_the_first_training_boxes_are_not_answered(untrained: Bench) -> None:
    untrained.worker.offer(detected(detection('a', 5, 3, 6, 4)))
    untrained.worker.embed(PICTURE).result(timeout=PATIENCE_S)
    untrained.worker.stop()
    assert untrained.told.detections.empty()


def test_no_camera_waits_for_the_many_boxes_of_another(trained: Bench) -> None:
    trained.worker.stop()
    trained.worker.offer(detected(*[detection('a', 5, 3, 6, 4)] * 3))
    trained.worker.offer(frame('front'))
    trained.worker.offer(frame('rear'))
    # The boxes are the first in turn, so the two images come between them.
    trained.worker._frames.take(detections=False)
    trained.worker.offer(frame('front'))
    trained.worker.start()
    trained.told.detections.get(timeout=PATIENCE_S)
    assert trained.told.order[-1] == 'boxes'
    assert sorted(trained.told.order[:-1]) == ['front', 'rear']


def test_a_worker_that_ends_leaves_boxes_and_does_what_was_asked_between_them(
    trained: Bench,
) -> None:
    trained.worker.stop()
    three = detected(*[detection('a', 5, 3, 6, 4)] * 3)
    trained.worker.offer(three)
    trained.worker._classify_boxes(three)
    assert trained.told.detections.empty()
    trained.worker._stopping = False
    asked = trained.worker._between_frames(lambda: 'between')
    trained.worker._classify_boxes(three)
    assert asked.result(PATIENCE_S) == 'between'
    trained.worker._answering.tell()
    assert len(trained.told.detections.get(timeout=PATIENCE_S)[2]) == 3


def test_boxes_in_a_broken_image_are_told_and_counted_apart(trained: Bench) -> None:
    trained.worker.offer(detected(detection('a', 5, 3, 6, 4), step=1))
    assert isinstance(trained.told.faults.get(timeout=PATIENCE_S)[1], ImageError)
    trained.worker.stop()
    numbers = trained.statistics.of('front')
    assert numbers.counts['unusable'] == 0
    assert numbers.detections['detections lost'] == 1


def test_a_frame_that_would_make_each_answer_long_is_unusable(trained: Bench) -> None:
    trained.worker.offer(frame(header=SimpleNamespace(frame_id='x' * 256)))
    told, error = trained.told.faults.get(timeout=PATIENCE_S)
    assert isinstance(error, ImageError)
    assert 'frame_id of the image' in str(error)
    trained.worker.offer(frame())
    trained.told.classifications.get(timeout=PATIENCE_S)
    assert told.camera == 'front'
