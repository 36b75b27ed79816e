# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Frames, swaps and jobs in a worker's thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
import queue
import threading
import time
from types import SimpleNamespace
from typing import Any
import weakref

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.node.frames.frame_statistics import StageTimes
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.pictures.pixels import RgbArray
from edgetpu_retrain.runtime.models.classifier import Classifier
import numpy as np
import pytest
from support.frame_worker_bench import frame, model, PATIENCE_S, PICTURE, retrained, WorkerBench
from support.waiting import wait_until


def test_each_frame_is_classified(trained: WorkerBench) -> None:
    sent = frame()
    trained.worker.offer(sent)
    classified, serving, scores = trained.output.classifications.get(timeout=PATIENCE_S)
    assert classified is sent
    assert serving.labels == ('cat', 'dog')
    expected = Classifier(retrained('cat', 'dog')).classify(PICTURE).scores
    np.testing.assert_array_equal(scores, expected)


def test_a_processed_frame_is_released_before_the_next_one_arrives(trained: WorkerBench) -> None:
    sent = frame()
    released = weakref.ref(sent)
    trained.worker.offer(sent)
    assert trained.output.classifications.get(timeout=PATIENCE_S)[0] is sent
    del sent
    wait_until(lambda: released() is None)


def test_after_a_swap_the_next_frame_is_in_the_new_model(untrained: WorkerBench) -> None:
    swapped = model(untrained.engine, 'a', 'b', 'c')
    untrained.worker.serve(swapped, swapped.prepared['cpu']).result(timeout=PATIENCE_S)
    untrained.worker.offer(frame())
    assert untrained.output.classifications.get(timeout=PATIENCE_S)[1] is swapped


def test_a_swap_waits_for_publications_of_the_old_model(
    trained: WorkerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = threading.Event()
    run = trained.engine.run

    def reported_run(rgb: RgbArray, before_invoke: Callable[[], None]) -> Any:
        running.set()
        return run(rgb, before_invoke)

    monkeypatch.setattr(trained.engine, 'run', reported_run)
    trained.output.slow = threading.Event()
    trained.worker.offer(frame())
    # A swap that is requested before a frame is in work comes before this frame.
    assert running.wait(PATIENCE_S)
    new = model(trained.engine, 'a', 'b', 'c')
    swap = trained.worker.serve(new, new.prepared['cpu'])
    threading.Timer(0.05, trained.output.slow.set).start()
    swap.result(timeout=PATIENCE_S)
    assert trained.output.classifications.get_nowait()[1].labels == ('cat', 'dog')


def test_it_is_idle_while_no_frame_is_pending_or_in_work(
    trained: WorkerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, finish = threading.Event(), threading.Event()
    run = trained.engine.run

    def slow_run(rgb: RgbArray, before_invoke: Callable[[], None]) -> Any:
        running.set()
        finish.wait(PATIENCE_S)
        return run(rgb, before_invoke)

    monkeypatch.setattr(trained.engine, 'run', slow_run)
    worker = trained.worker
    assert worker.wait_until_idle(PATIENCE_S)
    worker.offer(frame())
    assert not worker.wait_until_idle(0.0)
    assert running.wait(PATIENCE_S)
    assert not worker.wait_until_idle(0.0)
    worker.offer(frame('rear'))
    finish.set()
    assert worker.wait_until_idle(PATIENCE_S)
    assert trained.output.classifications.get(timeout=PATIENCE_S)[0].camera == 'front'
    assert trained.output.classifications.get(timeout=PATIENCE_S)[0].camera == 'rear'


def test_a_stopped_worker_is_idle(trained: WorkerBench, monkeypatch: pytest.MonkeyPatch) -> None:
    stopping = threading.Thread(target=trained.worker.stop)

    def run_until_stopping(*_arguments: Any) -> Any:
        trained.worker.offer(frame('rear'))
        stopping.start()
        wait_until(lambda: trained.worker._stopping)
        raise RuntimeError('the last frame')

    monkeypatch.setattr(trained.engine, 'run', run_until_stopping)
    trained.worker.offer(frame())
    assert trained.worker.wait_until_idle(PATIENCE_S)
    stopping.join(PATIENCE_S)


def test_slow_middleware_slows_the_frames_down(
    trained: WorkerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained.output.slow = threading.Event()
    started: queue.Queue[None] = queue.Queue()
    run = trained.engine.run

    def counted_run(rgb: RgbArray, before_invoke: Callable[[], None]) -> Any:
        started.put(None)
        return run(rgb, before_invoke)

    monkeypatch.setattr(trained.engine, 'run', counted_run)
    for _ in range(2):
        trained.worker.offer(frame())
        started.get(timeout=PATIENCE_S)
    trained.worker.offer(frame())
    with pytest.raises(queue.Empty):
        started.get(timeout=0.05)
    trained.output.slow.set()
    for _ in range(3):
        trained.output.classifications.get(timeout=PATIENCE_S)


def test_while_frames_wait_publishing_starts_at_the_next_invoke(
    trained: WorkerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, second_waits = threading.Event(), threading.Event()
    published = []
    run = trained.engine.run

    def run_first(rgb: RgbArray, before_invoke: Callable[[], None]) -> Any:
        monkeypatch.setattr(trained.engine, 'run', run_second)
        begun.set()
        second_waits.wait(PATIENCE_S)
        return run(rgb, before_invoke)

    def run_second(rgb: RgbArray, before_invoke: Callable[[], None]) -> Any:
        time.sleep(0.05)
        published.append(trained.output.classifications.qsize())
        before_invoke()
        trained.output.classifications.get(timeout=PATIENCE_S)
        return run(rgb)

    monkeypatch.setattr(trained.engine, 'run', run_first)
    trained.worker.offer(frame())
    assert begun.wait(PATIENCE_S)
    trained.worker.offer(frame())
    second_waits.set()
    trained.output.classifications.get(timeout=PATIENCE_S)
    assert published == [0]


def test_an_unusable_frame_does_not_delay_the_publication_before_it(
    trained: WorkerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, second_waits = threading.Event(), threading.Event()
    run = trained.engine.run

    def run_first(rgb: RgbArray, before_invoke: Callable[[], None]) -> Any:
        begun.set()
        second_waits.wait(PATIENCE_S)
        return run(rgb, before_invoke)

    def log_fault(_frame: Frame, _error: Exception) -> None:
        trained.output.classifications.get(timeout=PATIENCE_S)
        trained.output.faults.put((_frame, _error))

    monkeypatch.setattr(trained.engine, 'run', run_first)
    monkeypatch.setattr(trained.output, 'log_fault', log_fault)
    trained.worker.offer(frame())
    assert begun.wait(PATIENCE_S)
    trained.worker.offer(frame(step=1))
    second_waits.set()
    assert trained.output.faults.get(timeout=PATIENCE_S)


def test_a_malformed_frame_is_logged_and_the_next_classified(trained: WorkerBench) -> None:
    trained.worker.offer(frame(step=1))
    faulty, error = trained.output.faults.get(timeout=PATIENCE_S)
    assert isinstance(error, ImageError)
    assert faulty.message.step == 1
    trained.worker.offer(frame())
    assert trained.output.classifications.get(timeout=PATIENCE_S)


def test_a_failed_publication_costs_one_frame(trained: WorkerBench) -> None:
    trained.output.broken = True
    trained.worker.offer(frame())
    assert 'the publisher broke' in str(trained.output.faults.get(timeout=PATIENCE_S)[1])
    trained.output.broken = False
    trained.worker.offer(frame())
    assert trained.output.classifications.get(timeout=PATIENCE_S)


def test_a_fault_that_cannot_be_logged_costs_one_frame(
    trained: WorkerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = threading.Event()

    def fail(_frame: Frame, _error: Exception) -> None:
        tried.set()
        raise RuntimeError('the log broke')

    monkeypatch.setattr(trained.output, 'log_fault', fail)
    trained.output.broken = True
    trained.worker.offer(frame())
    assert tried.wait(PATIENCE_S)
    trained.output.broken = False
    for _ in range(2):
        trained.worker.offer(frame())
        assert trained.output.classifications.get(timeout=PATIENCE_S)


def test_each_frame_is_classified_or_counted_as_dropped_during_swaps_and_captures(
    trained: WorkerBench,
) -> None:
    models = [model(trained.engine, 'cat', 'dog'), model(trained.engine, 'a', 'b', 'c')]
    capture = trained.ask(count=100)
    swaps = []
    for number in range(100):
        trained.worker.offer(frame(arrived=float(number)))
        if number % 7 == 0:
            new = models[number % 2]
            swaps.append(trained.worker.serve(new, new.prepared['cpu']))
        time.sleep(0.001)
    for swap in swaps:
        swap.result(PATIENCE_S)
    last = frame(arrived=100.0)
    trained.worker.offer(last)
    classified = [0.0]
    while classified[-1] != last.arrived:
        classified.append(trained.output.classifications.get(timeout=PATIENCE_S)[0].arrived)
    trained.worker.stop()
    counts = trained.statistics.summary('front').counts
    assert counts['received'] == 101
    assert counts['classified'] == len(classified) - 1 == 101 - counts['dropped']
    assert counts['unusable'] == counts['lost'] == 0
    assert classified == sorted(classified)
    assert capture.claimed == min(16, counts['classified'])


def test_a_stopped_worker_cancels_new_jobs(trained: WorkerBench) -> None:
    trained.worker.stop()
    with pytest.raises(CancelledError):
        trained.worker.embed(PICTURE).result(timeout=PATIENCE_S)


def test_a_stopping_worker_cancels_waiting_jobs(trained: WorkerBench) -> None:
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


def test_a_failed_job_raises_and_a_cancelled_one_does_not_run(trained: WorkerBench) -> None:
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


def test_frames_are_counted_and_timed(trained: WorkerBench) -> None:
    trained.worker.offer(frame())
    trained.output.classifications.get(timeout=PATIENCE_S)
    trained.worker.offer(frame(step=1))
    trained.output.faults.get(timeout=PATIENCE_S)
    trained.worker.stop()
    trained.worker.start()
    trained.worker.offer(frame())
    trained.output.classifications.get(timeout=PATIENCE_S)
    trained.worker.stop()
    numbers = trained.statistics.summary('front')
    assert numbers.counts == {
        'received': 3,
        'dropped': 0,
        'classified': 2,
        'unusable': 1,
        'lost': 0,
    }
    assert set(numbers.latencies) == set(StageTimes._fields)
    assert trained.statistics.summary('rear').latencies == {}


def test_a_frame_with_a_long_frame_id_is_unusable(trained: WorkerBench) -> None:
    trained.worker.offer(frame(header=SimpleNamespace(frame_id='x' * 256)))
    faulty, error = trained.output.faults.get(timeout=PATIENCE_S)
    assert isinstance(error, ImageError)
    assert 'frame_id of the image' in str(error)
    trained.worker.offer(frame())
    trained.output.classifications.get(timeout=PATIENCE_S)
    assert faulty.camera == 'front'
