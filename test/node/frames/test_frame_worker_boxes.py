# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A worker classifies the boxes of a detector."""

from __future__ import annotations

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.runtime.models.classifier import Classifier
import numpy as np
from support.frame_worker_bench import (
    detected,
    detection,
    expected_embedding,
    frame,
    PATIENCE_S,
    PICTURE,
    WorkerBench,
)


def test_boxes_are_answered_clipped_and_empty_ones_counted(trained: WorkerBench) -> None:
    inside, partly = detection('a', 5, 3, 6, 4), detection('b', 0, 12, 8, 6)
    outside = detection('c', 50, 3, 6, 4)
    sent = detected(inside, outside, partly)
    trained.worker.offer(sent)
    told, serving, answers, skipped = trained.events.detections.get(timeout=PATIENCE_S)
    assert told is sent
    assert skipped == 1
    assert [answer.box.detection for answer in answers] == [inside, partly]
    for answer, region in zip(answers, (Region(2, 1, 6, 4), Region(0, 9, 4, 3)), strict=True):
        assert answer.box.region == region
        classifier = Classifier(serving.prepared['cpu'].model, device='cpu')
        expected = classifier.classify(region.cut(PICTURE))
        np.testing.assert_array_equal(answer.scores, expected.scores)
        np.testing.assert_array_equal(answer.embedding, expected_embedding(region))
    trained.worker.stop()
    assert trained.statistics.of('front').counts['received'] == 0
    assert trained.statistics.of('front').detections['boxes classified'] == 2
    assert trained.statistics.of('front').detections['boxes skipped'] == 1
    assert trained.statistics.of('rear').detections == {}


def test_an_image_without_boxes_is_answered_without_boxes(trained: WorkerBench) -> None:
    trained.worker.offer(detected())
    assert trained.events.detections.get(timeout=PATIENCE_S)[2:] == ([], 0)


def test_before_the_first_training_boxes_are_not_answered(untrained: WorkerBench) -> None:
    untrained.worker.offer(detected(detection('a', 5, 3, 6, 4)))
    untrained.worker.embed(PICTURE).result(timeout=PATIENCE_S)
    untrained.worker.stop()
    assert untrained.events.detections.empty()


def test_no_camera_waits_for_the_many_boxes_of_another(trained: WorkerBench) -> None:
    trained.worker.stop()
    trained.worker.offer(detected(*[detection('a', 5, 3, 6, 4)] * 3))
    trained.worker.offer(frame('front'))
    trained.worker.offer(frame('rear'))
    # The boxes are the first in turn, so the two images come between them.
    trained.worker._frames.take(detections=False)
    trained.worker.offer(frame('front'))
    trained.worker.start()
    trained.events.detections.get(timeout=PATIENCE_S)
    assert trained.events.order[-1] == 'boxes'
    assert sorted(trained.events.order[:-1]) == ['front', 'rear']


def test_a_worker_that_ends_leaves_boxes_and_does_what_was_asked_between_them(
    trained: WorkerBench,
) -> None:
    trained.worker.stop()
    three = detected(*[detection('a', 5, 3, 6, 4)] * 3)
    trained.worker.offer(three)
    trained.worker._classify_boxes(three)
    assert trained.events.detections.empty()
    trained.worker._stopping = False
    asked = trained.worker._between_frames(lambda: 'between')
    trained.worker._classify_boxes(three)
    assert asked.result(PATIENCE_S) == 'between'
    trained.worker._answering.tell()
    assert len(trained.events.detections.get(timeout=PATIENCE_S)[2]) == 3


def test_boxes_in_a_broken_image_are_told_and_counted_apart(trained: WorkerBench) -> None:
    trained.worker.offer(detected(detection('a', 5, 3, 6, 4), step=1))
    assert isinstance(trained.events.faults.get(timeout=PATIENCE_S)[1], ImageError)
    trained.worker.stop()
    numbers = trained.statistics.of('front')
    assert numbers.counts['unusable'] == 0
    assert numbers.detections['detections lost'] == 1
