# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A whole database is checked beside its users, and a damaged one is not written to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
import sqlite3
import threading
from typing import Any

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.database import damage_check
from edgetpu_retrain.store.database.schema import open_for_reading
from edgetpu_retrain.store.files import lock_wait
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.store.samples.snapshot import MalformedRowError
import numpy as np
import pytest
from support.damaged_database import damage_embeddings, mix_states
from support.samples import add_sample
from support.waiting import PATIENCE_S

EXTRACTOR = 'a' * 64
SCALE = QuantizationParameters(0.5, 3)
OF_EXTRACTOR: dict[str, Any] = {'extractor': EXTRACTOR, 'quantization': SCALE}
JPEG = b'\xff\xd8\xff picture'
# Reads the samples until it is interrupted, as the check of a very large database does.
ENDLESS = """
    WITH RECURSIVE numbers (n) AS (SELECT id FROM samples UNION ALL SELECT n + 1 FROM numbers)
    SELECT MAX(n) FROM numbers
"""
Teach = Callable[..., list[int]]


class LongCheck:
    """Opens connections whose first check is endless; has a thread to run it."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self.thread = thread
        self.started = threading.Event()
        self.opened: list[sqlite3.Connection] = []
        self.on_check: Callable[[], None] = lambda: None

    def connect(self, path: Path) -> Any:
        """Open a database for reading."""
        self.opened.append(open_for_reading(path))
        return self

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        """Execute a statement; replace the first check."""
        if 'quick_check' in sql:
            self.on_check()
            if not self.started.is_set():
                self.started.set()
                sql = ENDLESS
        return self.opened[-1].execute(sql, *parameters)

    def interrupt(self) -> None:
        """Interrupt the statement that runs."""
        self.opened[-1].interrupt()

    def close(self) -> None:
        """Close the connection that was opened last."""
        self.opened[-1].close()


@pytest.fixture
def long_check(monkeypatch: pytest.MonkeyPatch) -> Iterator[LongCheck]:
    with ThreadPoolExecutor(1) as thread:
        long_check = LongCheck(thread)
        monkeypatch.setattr(damage_check, 'open_for_reading', long_check.connect)
        yield long_check
        # Otherwise, the thread would not end if a test fails.
        with suppress(sqlite3.ProgrammingError):
            long_check.interrupt()


@pytest.fixture
def damaged(path: Path) -> Path:
    rows = np.random.default_rng(0).integers(0, 256, (200, 1280), np.uint8)
    with SampleStore(path) as store:
        store.add([Sample('mug', {EXTRACTOR: row}) for row in rows], {EXTRACTOR: SCALE})
    damage_embeddings(path)
    return path


def content(path: Path) -> tuple[bytes, bytes]:
    return path.read_bytes(), path.with_name(f'{path.name}-wal').read_bytes()


def test_a_database_without_damage_is_checked_once(samples: SampleStore, teach: Teach) -> None:
    teach(samples, 'mug', 20)
    check = samples.damage_check
    assert not check.is_done
    check.run()
    assert (check.is_done, check.damage, check.problem) == (True, '', '')
    teach(samples, 'mug')


def test_what_the_check_finds_is_not_written_to(damaged: Path, teach: Teach) -> None:
    with SampleStore(damaged) as store:
        assert store.counts(extractor=EXTRACTOR) == {'mug': 200}
        add_sample(store, 'mug', np.zeros(1280, np.uint8), **OF_EXTRACTOR)
        store.damage_check.run()
        assert store.damage_check.is_done
        before = content(damaged)
        assert before[1], 'the last sample is only in the log'
        words = f'{damaged} is damaged .*, so nothing is written into it. What to do: copy it with'
        for write in (
            lambda: teach(store, 'mug'),
            lambda: store.remove('mug', 1, extractor=EXTRACTOR),
            lambda: store.erase('mug', extractor=EXTRACTOR),
            store.undo,
        ):
            with pytest.raises(StoreError, match=words):
                write()
        store.checkpoint()
        assert store.counts(extractor=EXTRACTOR) == {'mug': 201}, 'reading goes on'
    assert content(damaged) == before, 'nor when it is closed'


def test_what_a_reader_finds_is_not_written_to(damaged: Path, teach: Teach) -> None:
    with SampleStore(damaged) as store:
        with pytest.raises(StoreError, match='malformed'):
            store.training_set(extractor=EXTRACTOR)
        with pytest.raises(StoreError, match=r'is damaged .*malformed.*nothing is written'):
            teach(store, 'mug')
        assert 'malformed' in store.damage_check.problem


@pytest.mark.parametrize(
    ('table', 'row', 'numbered'),
    [
        ('changed_samples', "99, 1, '', 'mug'", 'changes'),
        ('changed_samples', "1, 99, '', 'mug'", 'samples'),
        ('changed_questions', '99, 1, 0', 'changes'),
        ('changed_questions', '1, 99, 0', 'questions'),
        ('embeddings', "1, 99, x'00'", 'samples'),
        ('images', "99, x'00'", 'samples'),
        ('removed_samples', "99, 'mug', '', 0, 1, 0, ''", 'samples'),
    ],
)
def test_pages_of_two_states_are_found(
    path: Path, teach: Teach, table: str, row: str, numbered: str
) -> None:
    with SampleStore(path) as store:
        teach(store, 'mug')
    mix_states(path, table, row)
    with SampleStore(path) as store:
        store.damage_check.run()
        words = f'{table} has rows that are later than the last of {numbered}'
        assert store.damage_check.damage == words
        with pytest.raises(StoreError, match=rf'is damaged \({words}\), so nothing is written'):
            teach(store, 'mug')


def test_a_damaged_row_can_be_removed(path: Path, samples: SampleStore, teach: Teach) -> None:
    ids = teach(samples, 'mug', 2)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE embeddings SET data = x'00' WHERE sample_id = ?", ids[:1])
    connection.close()
    with pytest.raises(StoreError, match='has 1 bytes'):
        samples.training_set(extractor=EXTRACTOR)
    assert samples.remove_samples(ids[:1]) == 1
    with pytest.raises(StoreError, match='malformed row'), samples.snapshot():
        raise MalformedRowError('a column holds str')
    assert samples.remove_samples(ids[1:]) == 1


def test_samples_are_added_while_a_check_runs_and_it_can_be_stopped(
    samples: SampleStore, teach: Teach, long_check: LongCheck
) -> None:
    teach(samples, 'mug')
    stopping = threading.Event()
    checking = long_check.thread.submit(samples.damage_check.run, stopping.is_set)
    assert long_check.started.wait(PATIENCE_S)
    teach(samples, 'mug', 3)
    assert samples.counts(extractor=EXTRACTOR) == {'mug': 4}
    assert not checking.done()
    stopping.set()
    samples.damage_check.interrupt()
    checking.result(PATIENCE_S)
    assert not samples.damage_check.is_done
    samples.damage_check.run()
    assert samples.damage_check.is_done


def test_a_check_that_has_not_quite_started_is_stopped(
    samples: SampleStore, teach: Teach, long_check: LongCheck
) -> None:
    teach(samples, 'mug')
    stopping = threading.Event()

    def stop() -> None:
        stopping.set()
        samples.damage_check.interrupt()

    long_check.on_check = stop
    long_check.thread.submit(samples.damage_check.run, stopping.is_set).result(PATIENCE_S)
    assert not samples.damage_check.is_done


def test_an_erasure_does_not_wait_for_the_check(
    samples: SampleStore,
    teach: Teach,
    long_check: LongCheck,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lock_wait, 'PATIENCE_S', PATIENCE_S)
    teach(samples, 'mug', 2, image=JPEG)
    checking = long_check.thread.submit(samples.damage_check.run)
    assert long_check.started.wait(PATIENCE_S)
    assert samples.erase('mug', extractor=EXTRACTOR).samples == 2
    checking.result(PATIENCE_S)
    assert samples.damage_check.is_done, 'it has begun again'
    assert len(long_check.opened) == 2


def test_an_interruption_during_a_pause_does_not_block(samples: SampleStore) -> None:
    # As when the files are found to be changed during an erasure.
    with ThreadPoolExecutor(1) as thread, samples.damage_check.paused():
        thread.submit(samples.damage_check.interrupt).result(PATIENCE_S)


def test_a_file_that_cannot_be_checked_is_reported(path: Path, samples: SampleStore) -> None:
    path.unlink()
    with pytest.raises(StoreError, match=f'Cannot check {path}: No such file'):
        samples.damage_check.run()
    assert not samples.damage_check.is_done


def test_without_an_open_file_there_is_nothing_to_check(path: Path, teach: Teach) -> None:
    path.write_bytes(b'label,camera\n' * 1000)
    with SampleStore(path, must_open=False) as store:
        assert store.damage_check.is_done
        path.unlink()
        teach(store, 'mug')
        assert not store.damage_check.is_done
