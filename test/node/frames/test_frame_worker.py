# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Frames, swaps and jobs in a worker's thread."""

from __future__ import annotations

from concurrent.futures import CancelledError, ThreadPoolExecutor
import threading
from types import SimpleNamespace

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.node.frames.frame_statistics import STAGES
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.runtime.models.classifier import Classifier
import numpy as np
import pytest
from support.frame_worker_bench import frame, model, PATIENCE_S, PICTURE, retrained, WorkerBench


def test_a_classifier_answers_each_frame(trained: WorkerBench) -> None:
    sent = frame()
    trained.worker.offer(sent)
    told, serving, scores = trained.events.classifications.get(timeout=PATIENCE_S)
    assert told is sent
    assert serving.labels == ('cat', 'dog')
    expected = Classifier(retrained('cat', 'dog')).classify(PICTURE).scores
    np.testing.assert_array_equal(scores, expected)


def test_after_a_swap_the_next_frame_is_in_the_new_model(untrained: WorkerBench) -> None:
    swapped = model(untrained.engine, 'a', 'b', 'c')
    untrained.worker.serve(swapped, swapped.prepared['cpu']).result(timeout=PATIENCE_S)
    untrained.worker.offer(frame())
    assert untrained.events.classifications.get(timeout=PATIENCE_S)[1] is swapped


def test_a_swap_ends_when_all_answers_of_the_old_model_are_told(trained: WorkerBench) -> None:
    trained.events.slow = threading.Event()
    trained.worker.offer(frame())
    new = model(trained.engine, 'a', 'b', 'c')
    swap = trained.worker.serve(new, new.prepared['cpu'])
    threading.Timer(0.05, trained.events.slow.set).start()
    swap.result(timeout=PATIENCE_S)
    assert trained.events.classifications.get_nowait()[1].labels == ('cat', 'dog')


def test_an_answer_does_not_wait_for_a_frame_that_never_reaches_the_model(
    trained: WorkerBench, monkeypatch: pytest.MonkeyPatch
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
    assert trained.events.classifications.get(timeout=PATIENCE_S)
    trained.worker.stop()
    assert told_before == [True]


def test_a_frame_without_a_picture_is_told_and_the_next_one_served(trained: WorkerBench) -> None:
    trained.worker.offer(frame(step=1))
    told, error = trained.events.faults.get(timeout=PATIENCE_S)
    assert isinstance(error, ImageError)
    assert told.message.step == 1
    trained.worker.offer(frame())
    assert trained.events.classifications.get(timeout=PATIENCE_S)


def test_whatever_breaks_costs_one_frame(trained: WorkerBench) -> None:
    trained.events.broken = True
    trained.worker.offer(frame())
    assert 'the publisher broke' in str(trained.events.faults.get(timeout=PATIENCE_S)[1])
    trained.events.broken = False
    trained.worker.offer(frame())
    assert trained.events.classifications.get(timeout=PATIENCE_S)


def test_what_was_asked_of_a_worker_that_ended_is_cancelled(trained: WorkerBench) -> None:
    trained.worker.stop()
    with pytest.raises(CancelledError):
        trained.worker.embed(PICTURE).result(timeout=PATIENCE_S)


def test_what_waits_when_the_worker_ends_is_cancelled(trained: WorkerBench) -> None:
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
    trained: WorkerBench,
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


def test_what_became_of_the_frames_is_counted_and_timed(trained: WorkerBench) -> None:
    trained.worker.offer(frame())
    trained.events.classifications.get(timeout=PATIENCE_S)
    trained.worker.offer(frame(step=1))
    trained.events.faults.get(timeout=PATIENCE_S)
    trained.worker.stop()
    trained.worker.start()
    trained.worker.offer(frame())
    trained.events.classifications.get(timeout=PATIENCE_S)
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


def test_a_frame_that_would_make_each_answer_long_is_unusable(trained: WorkerBench) -> None:
    trained.worker.offer(frame(header=SimpleNamespace(frame_id='x' * 256)))
    told, error = trained.events.faults.get(timeout=PATIENCE_S)
    assert isinstance(error, ImageError)
    assert 'frame_id of the image' in str(error)
    trained.worker.offer(frame())
    trained.events.classifications.get(timeout=PATIENCE_S)
    assert told.camera == 'front'
