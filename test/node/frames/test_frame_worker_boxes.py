# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A worker classifies the boxes of a detector."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
import threading
from typing import Any

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.pixels import RgbArray
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.runtime.models.classifier import Classifier
import numpy as np
import pytest
from support.frame_worker_bench import (
    detected,
    detection,
    expected_embedding,
    frame,
    model,
    PATIENCE_S,
    PICTURE,
    WorkerBench,
)
from support.waiting import wait_until


def test_boxes_are_clipped_and_empty_ones_counted(trained: WorkerBench) -> None:
    inside, partly = detection('a', 5, 3, 6, 4), detection('b', 0, 12, 8, 6)
    outside = detection('c', 50, 3, 6, 4)
    sent = detected(inside, outside, partly)
    trained.worker.offer(sent)
    published, serving, boxes, skipped = trained.output.detections.get(timeout=PATIENCE_S)
    assert published is sent
    assert skipped == 1
    assert [box.detection for box in boxes] == [inside, partly]
    for box, region in zip(boxes, (Region(2, 1, 6, 4), Region(0, 9, 4, 3)), strict=True):
        classifier = Classifier(serving.prepared['cpu'].model, device='cpu')
        expected = classifier.classify(region.cut(PICTURE))
        np.testing.assert_array_equal(box.scores, expected.scores)
        np.testing.assert_array_equal(box.embedding, expected_embedding(region))
    trained.worker.stop()
    assert trained.statistics.summary('front').counts['received'] == 0
    assert trained.statistics.summary('front').detections['boxes classified'] == 2
    assert trained.statistics.summary('front').detections['boxes skipped'] == 1
    assert trained.statistics.summary('rear').detections == {}


def test_an_image_without_boxes_gets_empty_detections(trained: WorkerBench) -> None:
    trained.worker.offer(detected())
    assert trained.output.detections.get(timeout=PATIENCE_S)[2:] == ([], 0)


def test_before_the_first_training_boxes_are_not_classified(untrained: WorkerBench) -> None:
    untrained.worker.offer(detected(detection('a', 5, 3, 6, 4)))
    assert untrained.worker.wait_until_idle(PATIENCE_S)
    untrained.worker.stop()
    assert untrained.output.detections.empty()


def test_images_are_classified_between_boxes(trained: WorkerBench) -> None:
    trained.worker.stop()
    trained.worker.offer(detected(*[detection('a', 5, 3, 6, 4)] * 3))
    trained.worker.offer(frame('front'))
    trained.worker.offer(frame('rear'))
    # The boxes are the first in turn, so the two images come between them.
    trained.worker._frames.take(detections=False)
    trained.worker.offer(frame('front'))
    trained.worker.start()
    trained.output.detections.get(timeout=PATIENCE_S)
    assert trained.output.order[-1] == 'boxes'
    assert sorted(trained.output.order[:-1]) == ['front', 'rear']


class PausedRun:
    """An engine whose next inference waits until it is resumed."""

    def __init__(self, bench: WorkerBench, monkeypatch: pytest.MonkeyPatch) -> None:
        self.started, self.resumed = threading.Event(), threading.Event()
        self._run = bench.engine.run
        monkeypatch.setattr(bench.engine, 'run', self._wait_and_run)

    def _wait_and_run(self, rgb: RgbArray, before_invoke: Callable[[], None]) -> Any:
        self.started.set()
        assert self.resumed.wait(PATIENCE_S)
        return self._run(rgb, before_invoke)


THREE_BOXES = [detection('a', 5, 3, 6, 4)] * 3


def test_jobs_run_between_boxes(trained: WorkerBench, monkeypatch: pytest.MonkeyPatch) -> None:
    paused = PausedRun(trained, monkeypatch)
    trained.worker.offer(detected(*THREE_BOXES))
    assert paused.started.wait(PATIENCE_S)
    job = trained.worker._between_frames(lambda: trained.output.order.append('job'))
    paused.resumed.set()
    job.result(PATIENCE_S)
    assert len(trained.output.detections.get(timeout=PATIENCE_S)[2]) == 3
    assert trained.output.order == ['job', 'boxes']


def test_a_stopping_worker_drops_boxes(
    trained: WorkerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused = PausedRun(trained, monkeypatch)
    trained.worker.offer(detected(*THREE_BOXES))
    assert paused.started.wait(PATIENCE_S)
    with ThreadPoolExecutor(max_workers=1) as other:
        stopped = other.submit(trained.worker.stop)
        wait_until(lambda: trained.worker._stopping)
        paused.resumed.set()
        stopped.result(PATIENCE_S)
    assert trained.output.detections.empty()


def test_after_a_swap_between_boxes_all_are_classified_by_the_new_model(
    trained: WorkerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused = PausedRun(trained, monkeypatch)
    trained.worker.offer(detected(*THREE_BOXES))
    assert paused.started.wait(PATIENCE_S)
    swapped = model(trained.engine, 'a', 'b', 'c')
    swap = trained.worker.serve(swapped, swapped.prepared['cpu'])
    paused.resumed.set()
    swap.result(PATIENCE_S)
    _, serving, boxes, _ = trained.output.detections.get(timeout=PATIENCE_S)
    assert serving is swapped
    assert [len(box.scores) for box in boxes] == [3, 3, 3]


def test_boxes_in_a_malformed_image_are_logged_and_counted_apart(trained: WorkerBench) -> None:
    trained.worker.offer(detected(detection('a', 5, 3, 6, 4), step=1))
    assert isinstance(trained.output.faults.get(timeout=PATIENCE_S)[1], ImageError)
    trained.worker.stop()
    numbers = trained.statistics.summary('front')
    assert numbers.counts['unusable'] == 0
    assert numbers.detections['detections lost'] == 1
