# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The thread of the samples, with a database that another program holds."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
from pathlib import Path
import shutil
import sqlite3
import threading
import time
from typing import Any
import weakref

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.node.cameras.image_transport import RAW
from edgetpu_retrain.node.frames.captures import Capture, Captures
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.node.samples.sample_thread import SampleThread
from edgetpu_retrain.store.files import lock_wait
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from support.captures import capture_request
from support.running_node import image_message, pattern
from support.samples import add_sample
from support.small_models import build_extractor
from support.waiting import PATIENCE_S

DESCRIPTION = describe(build_extractor('uint8'))
PICTURE = pattern(1)


class CountingStore(SampleStore):
    """A store that knows how often it was asked to add."""

    attempts = 0

    def add(self, *arguments: Any, **options: Any) -> tuple[int, ...]:
        """Add a sample, and count."""
        self.attempts += 1
        return super().add(*arguments, **options)


class SlowStore(SampleStore):
    """A store on a disk that takes its time."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.may_add = threading.Event()

    def add(self, *arguments: Any, **options: Any) -> tuple[int, ...]:
        """Add a sample, once it may."""
        assert self.may_add.wait(PATIENCE_S)
        return super().add(*arguments, **options)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CountingStore]:
    """Return a store that does not wait for other programs."""
    monkeypatch.setattr(lock_wait, 'PATIENCE_S', 0.0)
    with contextlib.closing(CountingStore(tmp_path / 'samples.db')) as store:
        yield store


def capture_frames(thread: SampleThread, count: int) -> Capture:
    """Ask for frames, have them claimed and stored, and return the request when it is over."""
    captures, capture = Captures(), capture_request(count=count)
    captures.add(capture)
    frames = [Frame('front', RAW, image_message(PICTURE), float(at)) for at in range(count)]
    # All before the first is stored: a request that was refused takes no more.
    claims = [captures.claim(frame)[0] for frame in frames]
    for number, (frame, claim) in enumerate(zip(frames, claims, strict=True)):
        embedding = np.full(DESCRIPTION.dimension, number, np.uint8)
        thread.add_captured(captures, claim, frame, PICTURE, embedding)
    with contextlib.suppress(StoreError):
        capture.done.result()
    return capture


def test_of_many_frames_only_one_waits_for_a_lock(store: CountingStore) -> None:
    problems: list[str] = []
    thread = SampleThread(store, DESCRIPTION, lambda: 'none', lambda *_: None, problems.append)
    with contextlib.closing(thread):
        with contextlib.closing(sqlite3.connect(store.path)) as other:
            other.execute('BEGIN IMMEDIATE')
            refused = capture_frames(thread, 5)
            assert thread.counts().result() == {}, 'reading goes on'
        assert isinstance(refused.error, StoreError)
        assert (refused.claimed, refused.stored) == (5, 0)
        assert store.attempts == 1
        assert 'database is locked' in problems[-1], 'that it can be read is no news'

        assert capture_frames(thread, 5).stored == 5
        assert thread.counts().result() == {'cat': 5}
        assert problems[-1] == ''


def test_after_a_failed_read_a_full_disk_is_still_a_problem(store: CountingStore) -> None:
    def fail(reason: str) -> None:
        raise StoreError(reason)

    problems: list[str] = []
    thread = SampleThread(store, DESCRIPTION, lambda: 'none', lambda *_: None, problems.append)
    with contextlib.closing(thread):
        with pytest.raises(StoreError):
            thread.change(lambda: fail('the disk is full')).result()
        with pytest.raises(StoreError):
            thread.read(lambda: fail('the file cannot be read')).result()
        thread.counts().result()
        assert problems[-1], 'a read that works says nothing about writing'
        thread.change(lambda: None).result()
        assert problems[-1] == ''


@pytest.mark.parametrize('store_images', ['none', 'thumbnail'])
def test_a_frame_that_waits_for_the_disk_keeps_no_image(tmp_path: Path, store_images: str) -> None:
    rgb = np.zeros((480, 640, 3), np.uint8)
    captures, capture = Captures(), capture_request()
    captures.add(capture)
    frame = Frame('front', RAW, image_message(PICTURE), 0.0)
    images = weakref.ref(rgb), weakref.ref(frame)
    (claim,) = captures.claim(frame)
    embedding = np.zeros(DESCRIPTION.dimension, np.uint8)
    with contextlib.closing(SlowStore(tmp_path / 'samples.db')) as store:
        thread = SampleThread(store, DESCRIPTION, lambda: store_images, lambda *_: None, print)
        with contextlib.closing(thread):
            thread.add_captured(captures, claim, frame, rgb, embedding)
            del rgb, frame
            assert [image() for image in images] == [None, None]
            store.may_add.set()
            capture.done.result(PATIENCE_S)
    assert capture.stored == 1


def test_a_problem_of_reading_is_over_with_the_next_reading(store: CountingStore) -> None:
    problems: list[str] = []
    thread = SampleThread(store, DESCRIPTION, lambda: 'none', lambda *_: None, problems.append)
    with contextlib.closing(thread):
        with contextlib.closing(sqlite3.connect(store.path, isolation_level=None)) as vandal:
            vandal.execute('ALTER TABLE embeddings RENAME TO hidden')
            with pytest.raises(StoreError, match='no such table'):
                thread.counts().result()
            assert 'no such table' in problems[-1]
            thread.checkpoint()
            with pytest.raises(StoreError, match='no such table'):
                thread.counts().result()
            assert '' not in problems, 'a checkpoint shows nothing about reading'
            vandal.execute('ALTER TABLE hidden RENAME TO embeddings')
        assert thread.counts().result() == {}
        assert problems[-1] == ''


def test_a_check_reports_changes_by_others_and_keeps_problems(store: CountingStore) -> None:
    problems: list[str] = []
    counts: list[dict[str, int]] = []
    thread = SampleThread(
        store, DESCRIPTION, lambda: 'none', lambda each, _: counts.append(each), problems.append
    )

    def look() -> None:
        thread.check_for_changes()
        # The thread does one thing after the other.
        thread.counts().exception()

    with contextlib.closing(thread):
        look()
        look()
        assert counts == [{}], 'nothing has changed since'
        with contextlib.closing(sqlite3.connect(store.path, isolation_level=None)) as vandal:
            vandal.execute('ALTER TABLE embeddings RENAME TO hidden')
            problems.clear()
            for _ in range(2):
                look()
            assert problems
            assert all('no such table' in each for each in problems), 'never called over'
            vandal.execute('ALTER TABLE hidden RENAME TO embeddings')
        look()
        assert (problems[-1], counts) == ('', [{}, {}])
        with SampleStore(store.path) as other:
            add_sample(
                other,
                'cat',
                np.zeros(DESCRIPTION.dimension, np.uint8),
                extractor=DESCRIPTION.identity,
                quantization=DESCRIPTION.quantization,
            )
        look()
        assert counts[-1] == {'cat': 1}


def test_calls_after_the_end_are_cancelled(store: CountingStore) -> None:
    thread = SampleThread(store, DESCRIPTION, lambda: 'none', lambda *_: None, lambda _: None)
    thread.close()
    assert thread.change(lambda: None).cancelled()
    assert thread.counts().cancelled()
    thread.check_for_changes()


def test_an_idle_node_leaves_no_samples_only_in_the_log(
    store: CountingStore, tmp_path: Path
) -> None:
    thread = SampleThread(store, DESCRIPTION, lambda: 'none', lambda *_: None, lambda _: None)
    with contextlib.closing(thread):
        capture_frames(thread, 3)
        thread.check_for_changes()
    # The file alone, as a person may copy it.
    shutil.copy(store.path, tmp_path / 'copy.db')
    with SampleStore(tmp_path / 'copy.db') as copy:
        assert sum(copy.counts(extractor=DESCRIPTION.identity).values()) == 3


def test_an_idle_node_forgets_no_change_because_the_clock_has_jumped(
    store: CountingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = SampleThread(store, DESCRIPTION, lambda: 'none', lambda *_: None, lambda _: None)
    real = time.time_ns
    with contextlib.closing(thread):
        capture_frames(thread, 3)
        monkeypatch.setattr(time, 'time_ns', lambda: real() + 9 * 86_400 * 10**9)
        thread.check_for_changes()
    with SampleStore(store.path) as restarted:
        assert restarted.history()
