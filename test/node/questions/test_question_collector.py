# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Frames are offered as questions in time, and away from the threads of the frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
import sqlite3
import threading
from types import SimpleNamespace
from typing import Any
import weakref

from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.node.questions.question_collector import (
    MIN_INTERVAL_S,
    QuestionCollector,
    RETRY_S,
)
from edgetpu_retrain.node.samples.sample_thread import SampleThread
from edgetpu_retrain.runtime.engines.cpu_engine import CpuEngine
from edgetpu_retrain.store.files import lock_wait
from edgetpu_retrain.store.questions.asking import Asking
from edgetpu_retrain.store.questions.question import Question
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind, RawArray
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from support.frame_worker_bench import EXTRACTOR, frame, model
from support.waiting import wait_for

ABOUT = describe(EXTRACTOR)
KIND = EmbeddingKind(ABOUT.dimension, ABOUT.output_dtype, ABOUT.quantization)
RESULTS = [
    SimpleNamespace(class_id='unknown', score=0.6),
    SimpleNamespace(class_id='cat', score=0.4),
]


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A collector with a real store and its thread."""

    def __init__(self, store: SampleStore, thread: SampleThread) -> None:
        self.store, self.thread = store, thread
        self.clock = Clock()
        self.reports: list[tuple[str, str]] = []
        self.with_picture = True
        self.collector = QuestionCollector(
            thread,
            Asking(store, ABOUT.identity, KIND, 0.01),
            lambda: self.with_picture,
            lambda camera, why: self.reports.append((camera, why)),
            self.clock,
        )
        self._model = model(CpuEngine(EXTRACTOR), 'cat', 'dog')
        self._rng = np.random.default_rng(5)

    def embedding(self) -> RawArray:
        """Return an embedding that is like no other."""
        return self._rng.integers(0, 256, ABOUT.dimension, np.uint8)

    def offer(
        self,
        why: Any = 'unknown',
        from_frame: Frame | None = None,
        best: str = 'unknown',
        embedding: RawArray | None = None,
    ) -> None:
        """Offer a frame, by default one that is like no other."""
        results = [SimpleNamespace(class_id=best, score=0.6), *RESULTS[1:]]
        raw = self.embedding() if embedding is None else embedding
        self.collector.offer(from_frame or stamped(), self._model, why, results, raw, 50)

    def count(self) -> int:
        """Return the number of questions, once the thread has done all that was offered."""
        # What was offered may have asked the thread to store.
        for _ in range(2):
            wait_for(self.thread.read(lambda: None))
        return self.thread.questions.count(extractor=ABOUT.identity)


def stamped(**changes: Any) -> Frame:
    header = SimpleNamespace(frame_id='', stamp=SimpleNamespace(sec=3, nanosec=0))
    return frame(header=header, **changes)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    counts: list[int] = []
    with SampleStore(tmp_path / 'samples.db') as store:
        thread = SampleThread(
            store, ABOUT, lambda: 'none', lambda _, questions: counts.append(questions), print
        )
        bench = Bench(store, thread)
        yield bench
        total = bench.count()
        thread.close()
        assert (counts or [0])[-1] == total


def test_a_question_has_what_was_published(bench: Bench) -> None:
    bench.offer()
    assert bench.count() == 1
    (question,) = bench.thread.questions.list_questions(0, extractor=ABOUT.identity)
    assert (question.kind, question.camera, question.stamp_ns) == ('unknown', 'front', 3 * 10**9)
    assert question.given == (('unknown', 0.6), ('cat', 0.4))
    assert question.model_version == 2
    assert question.has_image


def test_no_picture_is_kept_where_none_is_wanted(bench: Bench) -> None:
    bench.with_picture = False
    bench.offer()
    assert bench.count() == 1
    (question,) = bench.thread.questions.list_questions(0, extractor=ABOUT.identity)
    assert not question.has_image


def test_at_most_one_frame_a_second_is_kept(bench: Bench) -> None:
    for tenth in range(31):
        bench.clock.now = 100.0 + tenth / 10
        bench.offer()
        bench.count()
    assert bench.count() == 4


def test_an_uncertain_frame_does_not_wait_for_a_certain_one(bench: Bench) -> None:
    bench.offer(None)
    assert bench.count() == 0
    assert not bench.collector.is_due(None)
    assert bench.collector.is_due('margin')
    bench.offer('margin')
    assert bench.count() == 1
    bench.clock.now += MIN_INTERVAL_S / 2
    assert not bench.collector.is_due('unknown')
    assert not bench.collector.is_due(None)


def test_a_frame_that_contradicts_a_sample_is_kept(bench: Bench) -> None:
    embedding = bench.embedding()
    # It was there when the model was trained.
    dog = Sample('dog', {ABOUT.identity: embedding}, added_ns=1)
    bench.store.add([dog], {ABOUT.identity: ABOUT.quantization})
    bench.offer(None, best='dog', embedding=embedding)
    assert bench.count() == 0
    bench.clock.now += MIN_INTERVAL_S
    bench.offer(None, best='cat', embedding=embedding)
    assert bench.count() == 1
    (question,) = bench.thread.questions.list_questions(0, extractor=ABOUT.identity)
    assert (question.kind, question.given[0].label) == ('conflict', 'cat')
    # It counts as one of those that are kept once a second.
    assert not bench.collector.is_due('unknown')


def test_only_one_frame_is_kept_while_the_thread_is_busy(bench: Bench) -> None:
    done = threading.Event()
    blocked = bench.thread.read(done.wait)
    for _ in range(5):
        bench.clock.now += 2 * MIN_INTERVAL_S
        bench.offer()
    done.set()
    wait_for(blocked)
    assert bench.count() == 1


def test_a_frame_is_released_before_its_question_is_written(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Asking.store
    released: list[bool] = []

    def slow_store(asking: Asking, question: Question, most: int) -> None:
        released.append(reference() is None)
        store(asking, question, most)

    monkeypatch.setattr(Asking, 'store', slow_store)
    sent = stamped()
    reference = weakref.ref(sent)
    # Without this, the frame could be released after the write began.
    blocked = threading.Event()
    bench.thread.read(blocked.wait)
    bench.offer(from_frame=sent)
    del sent
    blocked.set()
    assert bench.count() == 1
    assert released == [True]


def test_pictures_are_the_work_of_the_samples_thread(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    decode: Callable[[Frame], Any] = Frame.picture.func  # type: ignore[attr-defined]

    def picture(self: Frame) -> Any:
        threads.append(threading.current_thread().name)
        return decode(self)

    monkeypatch.setattr(Frame, 'picture', property(picture))
    bench.offer()
    assert bench.count() == 1
    assert [name.startswith('samples') for name in threads] == [True]


def test_a_store_that_fails_is_left_alone_for_a_while(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(lock_wait, 'PATIENCE_S', 0.1)
        with closing(sqlite3.connect(bench.store.path, isolation_level=None)) as other:
            other.execute('BEGIN IMMEDIATE')
            bench.offer()
            assert bench.count() == 0
    bench.clock.now += RETRY_S
    assert not bench.collector.is_due('unknown')
    bench.clock.now += MIN_INTERVAL_S
    bench.offer()
    assert bench.count() == 1


def test_a_picture_that_cannot_be_read_is_reported_and_the_next_one_is_kept(bench: Bench) -> None:
    bench.offer(from_frame=stamped(encoding='no such encoding'))
    assert bench.count() == 0
    ((camera, why),) = bench.reports
    assert camera == 'front'
    assert 'no such encoding' in why
    bench.clock.now += MIN_INTERVAL_S
    bench.offer()
    assert bench.count() == 1
