# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Samples that are erased for ever are in no file of the database any more."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
import sqlite3

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.store.files import lock_wait
from edgetpu_retrain.store.samples.sample_store import SampleStore
import pytest

EXTRACTOR = 'a' * 64
OTHER = 'b' * 64
FACE = b'picture of a face '
JPEG = b'\xff\xd8\xff\xe0' + FACE * 1000
Teach = Callable[..., list[int]]


def is_on_disk(path: Path, content: bytes) -> bool:
    return any(content in each.read_bytes() for each in path.parent.iterdir())


def test_what_is_erased_is_not_on_the_disk(path: Path, samples: SampleStore, teach: Teach) -> None:
    ids = teach(samples, 'alice', 3, image=JPEG)
    bob = teach(samples, 'bob', 2)
    samples.remove_samples(ids[:1])
    samples.undo()
    samples.remove_samples(ids[:2])
    assert is_on_disk(path, FACE)
    assert is_on_disk(path, b'alice')
    assert samples.erase('alice', extractor=EXTRACTOR).samples == 3
    assert not is_on_disk(path, FACE)
    assert not is_on_disk(path, b'alice')
    assert samples.counts(extractor=EXTRACTOR) == {'bob': 2}
    assert [str(each) for each in samples.history()] == ["the addition of 2 samples of 'bob'"]
    samples.remove_samples(bob)
    assert samples.undo()


def test_all_that_was_removed_is_erased(path: Path, samples: SampleStore, teach: Teach) -> None:
    teach(samples, 'alice', 2, image=JPEG)
    teach(samples, 'bob', 2, image=JPEG)
    samples.remove('bob', 1, extractor=EXTRACTOR)
    samples.remove('alice', 0, extractor=EXTRACTOR)
    teach(samples, 'carol', 1, image=JPEG)
    samples.undo()
    assert samples.erase(extractor=EXTRACTOR).samples == 4
    assert samples.counts(extractor=EXTRACTOR) == {'bob': 1}
    assert not is_on_disk(path, b'alice')
    assert not is_on_disk(path, b'carol')
    assert samples.redo() is None
    assert samples.erase(extractor=EXTRACTOR).samples == 0


def test_a_class_is_erased_for_all_extractors(samples: SampleStore, teach: Teach) -> None:
    teach(samples, 'alice', 2)
    teach(samples, 'alice', 3, extractor=OTHER)
    assert samples.erase('alice', extractor=EXTRACTOR).samples == 5
    assert samples.extractors() == {}


def test_the_newest_samples_are_erased(samples: SampleStore, teach: Teach) -> None:
    teach(samples, 'alice', 3)
    teach(samples, 'bob', 2)
    assert samples.erase('alice', 2, extractor=EXTRACTOR).samples == 2
    assert samples.erase('', 1, extractor=EXTRACTOR).samples == 1
    assert samples.counts(extractor=EXTRACTOR) == {'alice': 1, 'bob': 1}


def test_single_samples_are_erased_whether_removed_or_not(
    samples: SampleStore, teach: Teach
) -> None:
    ids = teach(samples, 'alice', 3, image=JPEG)
    samples.remove_samples(ids[:1])
    with pytest.raises(RequestError, match='There is no sample 99, so nothing was changed'):
        samples.erase_samples([*ids, 99])
    assert samples.erase_samples(ids[:2]).samples == 2
    with pytest.raises(RequestError, match='There is no sample 1, 2, so'):
        samples.erase_samples(ids)
    assert samples.undo()
    assert samples.redo()
    assert samples.counts(extractor=EXTRACTOR) == {'alice': 1}


@pytest.mark.parametrize(
    ('label', 'newest', 'words'), [('', -1, 'n is -1'), ('a/b', 1, 'contains')]
)
def test_an_invalid_request_is_rejected(
    label: str, newest: int, words: str, samples: SampleStore, teach: Teach
) -> None:
    teach(samples, 'alice')
    with pytest.raises(RequestError, match=words):
        samples.erase(label, newest, extractor=EXTRACTOR)
    assert samples.counts(extractor=EXTRACTOR) == {'alice': 1}


def test_a_program_that_reads_keeps_the_log_from_being_emptied(
    path: Path, samples: SampleStore, teach: Teach, monkeypatch: pytest.MonkeyPatch
) -> None:
    teach(samples, 'alice', 1, image=JPEG)
    monkeypatch.setattr(lock_wait, 'PATIENCE_S', 0.1)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute('BEGIN')
        reader.execute('SELECT * FROM samples').fetchone()
        words = rf'Cannot empty the write-ahead log.* of {path}: .*locked.*What to do: '
        with pytest.raises(StoreError, match=words):
            samples.erase('alice', extractor=EXTRACTOR)
    assert samples.counts(extractor=EXTRACTOR) == {}
    assert is_on_disk(path, FACE)
    assert samples.erase(extractor=EXTRACTOR).samples == 0
    assert not is_on_disk(path, FACE)


@pytest.mark.parametrize(
    'name',
    [
        'samples.schema-1.20261121-232256.db',
        'samples.replaced-20261128-190000-000000.db',
        'samples.replaced-20261128-190000-000000.db-wal',
    ],
)
def test_copies_that_may_still_contain_them_are_named(
    path: Path, samples: SampleStore, teach: Teach, name: str
) -> None:
    teach(samples, 'alice')
    copy = path.with_name(name)
    copy.write_bytes(path.read_bytes())
    erased = samples.erase('alice', extractor=EXTRACTOR)
    assert erased.copies == (copy,)
    assert copy.name in erased.remark
