# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Undo and redo of each kind of change, and the limits of the journal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
import itertools
from pathlib import Path
import sqlite3
import time

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.store.samples import journal
from edgetpu_retrain.store.samples.changes import MAX_CLASSES
from edgetpu_retrain.store.samples.sample import Sample, Unembedded
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest

EXTRACTOR = 'a' * 64
OTHER = 'b' * 64
JPEG = b'\xff\xd8\xff\xe0' + bytes(500)
DAY_NS = 86_400 * 10**9
Teach = Callable[..., list[int]]
Clock = Callable[..., None]


def history(store: SampleStore) -> list[str]:
    return [f'{each}, undone' if each.undone else str(each) for each in store.history()]


def removed(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [each for (each,) in connection.execute('SELECT id FROM removed_samples')]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let so many days pass, or let only the clock of the system jump."""
    jumped, passed = [0], [0]
    time_ns, gettime_ns = time.time_ns, time.clock_gettime_ns
    monkeypatch.setattr(time, 'time_ns', lambda: time_ns() + jumped[0])
    monkeypatch.setattr(time, 'clock_gettime_ns', lambda which: gettime_ns(which) + passed[0])

    def move(days: float, *, jump: bool = False) -> None:
        jumped[0] += int(days * DAY_NS)
        if not jump:
            passed[0] += int(days * DAY_NS)

    return move


def test_undo_takes_back_the_last_change_whatever_it_was(
    samples: SampleStore, teach: Teach
) -> None:
    cups = teach(samples, 'cup', 3, image=JPEG)
    teach(samples, 'hat', 2)
    samples.relabel([cups[0]], 'mug')
    samples.remove('cup', 0, extractor=EXTRACTOR)
    assert samples.counts(extractor=EXTRACTOR) == {'mug': 1, 'hat': 2}
    assert str(samples.undo()) == "the removal of 2 samples of 'cup'"
    assert samples.counts(extractor=EXTRACTOR) == {'mug': 1, 'cup': 2, 'hat': 2}
    assert str(samples.undo()) == "the relabelling of 1 sample of 'cup' to 'mug'"
    assert str(samples.undo()) == "the addition of 2 samples of 'hat'"
    assert samples.counts(extractor=EXTRACTOR) == {'cup': 3}
    assert str(samples.undo()) == "the addition of 3 samples of 'cup'"
    assert samples.counts(extractor=EXTRACTOR) == {}
    assert samples.undo() is None


def test_redo_brings_all_of_it_again_after_a_restart(path: Path, teach: Teach) -> None:
    with SampleStore(path) as store:
        ids = teach(store, 'cup', 3, image=JPEG)
        store.add_embedding(ids[0], np.ones(3, np.float32), extractor=OTHER, quantization=None)
        store.relabel(ids[1:], 'mug')
        before = store.list_samples(extractor=EXTRACTOR)
        embeddings = store.training_set(extractor=EXTRACTOR).embeddings
        assert store.undo()
        assert store.undo()
    with SampleStore(path) as store:
        assert history(store) == [
            "the addition of 3 samples of 'cup', undone",
            "the relabelling of 2 samples of 'cup' to 'mug', undone",
        ]
        assert store.redo()
        assert store.counts(extractor=EXTRACTOR) == {'cup': 3}
        assert store.redo()
        assert store.redo() is None
        assert store.list_samples(extractor=EXTRACTOR) == before
        again = store.training_set(extractor=EXTRACTOR).embeddings
        np.testing.assert_array_equal(again, embeddings)
        assert store.counts(extractor=OTHER) == {'cup': 1}
        picture = store.picture(ids[2])
        assert picture is not None
        assert (picture.label, picture.jpeg) == ('mug', JPEG)


def test_a_removed_sample_counts_nowhere(samples: SampleStore, teach: Teach) -> None:
    ids = teach(samples, 'cup', 2, image=JPEG)
    samples.remove_samples(ids)
    assert samples.counts(extractor=EXTRACTOR) == {}
    assert samples.extractors() == {}
    assert samples.list_samples(extractor=EXTRACTOR) == ()
    assert len(samples.training_set(extractor=EXTRACTOR).embeddings) == 0
    assert samples.unembedded(extractor=OTHER) == Unembedded(0, 0)
    assert list(samples.to_reembed(OTHER)) == []
    assert samples.picture(ids[0]) is None
    with samples.snapshot() as snapshot:
        assert snapshot.total() == snapshot.count(EXTRACTOR) == 0
        assert list(snapshot.samples()) == []
        assert snapshot.digests() == {}
        assert snapshot.kinds() == {}
    with pytest.raises(RequestError, match='There is no sample'):
        samples.relabel(ids, 'mug')
    embedding = np.zeros(4, np.float32)
    assert not samples.add_embedding(ids[0], embedding, extractor=OTHER, quantization=None)


def test_removed_classes_do_not_count_for_the_limit(samples: SampleStore) -> None:
    embedding = np.zeros(4, np.float32)
    some = [Sample(f'class {number}', {EXTRACTOR: embedding}) for number in range(MAX_CLASSES)]
    ids = samples.add(some, {EXTRACTOR: None})
    samples.remove_samples(ids[:1])
    request = samples.add([Sample('new', {EXTRACTOR: embedding})], {EXTRACTOR: None})
    samples.remove_samples(ids[1:2])
    # The rest of the request belongs to its earlier change.
    samples.add([Sample('newer', {EXTRACTOR: embedding})], {EXTRACTOR: None}, addition=request[0])
    with pytest.raises(RequestError, match="'class 1' would be one class more than the 1000"):
        samples.undo()
    samples.relabel_class('newer', 'new', extractor=EXTRACTOR)
    assert samples.undo()


def test_a_new_change_ends_what_can_be_redone(
    path: Path, samples: SampleStore, teach: Teach
) -> None:
    teach(samples, 'cup', 2)
    samples.undo()
    assert removed(path) == [1, 2]
    teach(samples, 'hat')
    assert removed(path) == []
    assert samples.redo() is None
    assert history(samples) == ["the addition of 1 sample of 'hat'"]


def test_what_changes_nothing_is_not_in_the_journal(samples: SampleStore, teach: Teach) -> None:
    ids = teach(samples, 'cup', 2)
    before = history(samples)
    assert samples.relabel(ids, 'cup') == 2
    assert samples.remove_samples([]) == 0
    assert samples.remove('hat', 0, extractor=EXTRACTOR) == 0
    assert history(samples) == before


def test_requests_that_add_at_the_same_time_are_two_changes(samples: SampleStore) -> None:
    first: dict[str, int] = {}
    for number, label in enumerate(('cup', 'hat', 'cup', 'hat', 'cup')):
        sample = Sample(label, {EXTRACTOR: np.full(4, number, np.float32)})
        (added,) = samples.add([sample], {EXTRACTOR: None}, addition=first.get(label, 0))
        first.setdefault(label, added)
    assert str(samples.undo()) == "the addition of 2 samples of 'hat'"
    # What comes after the undo is a new change.
    hat = Sample('hat', {EXTRACTOR: np.zeros(4, np.float32)})
    samples.add([hat], {EXTRACTOR: None}, addition=first['hat'])
    samples.add([hat], {EXTRACTOR: None}, addition=first['hat'])
    assert history(samples) == [
        "the addition of 3 samples of 'cup'",
        "the addition of 2 samples of 'hat'",
    ]


def test_requests_of_a_named_recording_are_one_change(samples: SampleStore) -> None:
    numbers = itertools.count()

    def add(label: str, recording: str | None) -> None:
        embedding = np.full(4, next(numbers), np.float32)
        sample = Sample(label, {EXTRACTOR: embedding}, recording=recording)
        samples.add([sample], {EXTRACTOR: None})

    for _ in range(3):  # two buttons that are held at the same time
        add('cup', 'hold 1')
        add('hat', 'hold 2')
    add('cup', None)
    assert history(samples) == [
        "the addition of 3 samples of 'cup'",
        "the addition of 3 samples of 'hat'",
        "the addition of 1 sample of 'cup'",
    ]
    samples.undo()
    add('cup', 'hold 1')
    samples.relabel([1], 'mug')
    add('cup', 'hold 1')
    assert history(samples)[2:] == [
        "the addition of 1 sample of 'cup'",
        "the relabelling of 1 sample of 'cup' to 'mug'",
        "the addition of 1 sample of 'cup'",
    ]


def test_undo_takes_back_what_another_program_did(path: Path, teach: Teach) -> None:
    with SampleStore(path) as node, SampleStore(path) as command_line:
        ids = teach(node, 'cup', 2)
        command_line.remove_samples(ids[:1])
        assert str(node.undo()) == "the removal of 1 sample of 'cup'"
        assert command_line.counts(extractor=EXTRACTOR) == {'cup': 2}


def test_only_the_last_100_changes_are_kept(
    path: Path, samples: SampleStore, teach: Teach
) -> None:
    ids = teach(samples, 'cup', 2, image=JPEG)
    samples.remove_samples(ids[:1])
    for number in range(journal.MAX_CHANGES - 1):
        samples.relabel(ids[1:], f'cup {number}')
    assert removed(path) == ids[:1]
    samples.relabel(ids[1:], 'cup')
    assert len(samples.history()) == journal.MAX_CHANGES
    assert removed(path) == []
    assert all(samples.undo() for _ in range(journal.MAX_CHANGES))
    assert samples.undo() is None
    assert samples.counts(extractor=EXTRACTOR) == {'cup': 1}


@pytest.mark.parametrize('restart', [False, True])
def test_changes_are_kept_for_seven_days(
    restart: bool, path: Path, teach: Teach, clock: Clock
) -> None:
    with SampleStore(path) as store:
        store.remove_samples(teach(store, 'cup', 1, image=JPEG))
        clock(6.9)
        teach(store, 'hat')
        assert len(store.history()) == 3
        clock(0.2)
        if not restart:
            teach(store, 'key')
    if restart:
        SampleStore(path).close()
    assert removed(path) == []
    with SampleStore(path) as store:
        assert history(store)[0] == "the addition of 1 sample of 'hat'"


def test_a_clock_that_jumps_forward_forgets_no_change(
    path: Path, teach: Teach, clock: Clock
) -> None:
    with SampleStore(path) as node, SampleStore(path) as command_line:
        ids = teach(node, 'cup', 2, image=JPEG)
        node.remove_samples(ids[:1])
        command_line.remove_samples(ids[1:])
        clock(1.0)
        clock(9.0, jump=True)
        teach(node, 'hat')
        assert len(node.history()) == 4
        # Each of them is kept for its seven days, and not longer.
        clock(5.9)
        teach(node, 'hat')
        assert removed(path) == ids
        clock(0.2)
        teach(node, 'hat')
        assert removed(path) == []


@pytest.mark.parametrize('days', [9.0, -9.0])
def test_a_restart_after_the_jump_forgets_no_change(
    days: float, path: Path, teach: Teach, clock: Clock
) -> None:
    with SampleStore(path) as store:
        ids = teach(store, 'cup', 1, image=JPEG)
        store.remove_samples(ids)
        clock(days, jump=True)
        store.check_clock()
        before = store.version()
        store.check_clock()
        assert store.version() == before, 'once is enough'
    clock(6.9)
    with SampleStore(path) as store:
        assert str(store.undo()) == "the removal of 1 sample of 'cup'"


def test_old_changes_are_forgotten_however_often_the_clock_is_checked(
    path: Path, teach: Teach, clock: Clock
) -> None:
    with SampleStore(path) as store:
        ids = teach(store, 'cup', 1, image=JPEG)
        store.remove_samples(ids)
    clock(3.9)
    with SampleStore(path) as store:
        for _ in range(3):
            clock(1.0)
            teach(store, 'hat')
            clock(0.001, jump=True)
            store.check_clock()
        assert removed(path) == ids
        clock(0.2)
        teach(store, 'hat')
        assert removed(path) == []


def test_no_change_is_redone_after_one_that_is_missing(
    path: Path, teach: Teach, clock: Clock
) -> None:
    with SampleStore(path) as store:
        ids = teach(store, 'cup')
        clock(5.0)
        store.relabel(ids, 'mug')
        store.undo()
        store.undo()
    clock(5.0)
    with SampleStore(path) as store:
        assert history(store) == []
        assert store.redo() is None
    assert removed(path) == []


def test_old_changes_stay_while_the_disk_is_full(
    path: Path,
    teach: Teach,
    clock: Clock,
    file_size_limit: Callable[[int], AbstractContextManager[None]],
) -> None:
    with SampleStore(path) as store:
        store.remove_samples(teach(store, 'cup', 20, image=JPEG * 40))
    clock(8.0)
    # Enough for the index of the write-ahead log, but not for the pictures in the log.
    with file_size_limit(33_000), SampleStore(path) as store:
        assert len(store.history()) == 2
    with SampleStore(path) as store:
        assert store.history() == ()


def test_samples_come_back_although_the_journal_has_forgotten_their_addition(
    samples: SampleStore, teach: Teach, clock: Clock
) -> None:
    old = teach(samples, 'cup', 2, image=JPEG)
    clock(8.0)
    teach(samples, 'hat')
    samples.undo()
    # It deletes the addition that was undone as well.
    samples.remove_samples(old)
    assert samples.undo()
    assert samples.counts(extractor=EXTRACTOR) == {'cup': 2}


def test_a_damaged_journal_is_reported(path: Path, samples: SampleStore, teach: Teach) -> None:
    teach(samples, 'cup')
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript('DROP TABLE changed_samples')
    with pytest.raises(StoreError, match=rf'{path}: .*no such table.*What to do'):
        samples.undo()


def test_a_change_of_many_labels_is_described_in_one_line(samples: SampleStore) -> None:
    embedding = np.zeros(4, np.float32)
    names = [f'class {number}' for number in itertools.islice(itertools.count(), 12)]
    samples.add([Sample(name, {EXTRACTOR: embedding}) for name in names], {EXTRACTOR: None})
    (change,) = samples.history()
    assert str(change).startswith("the addition of 12 samples of 'class 0', 'class 1'")
    assert str(change).endswith("'class 9' and 2 more")
