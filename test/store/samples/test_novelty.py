# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
import sqlite3
import threading
from typing import Any

from edgetpu_retrain.errors import FilesChangedError, StoreError
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples import novelty
from edgetpu_retrain.store.samples.embedding_kind import RawArray
from edgetpu_retrain.store.samples.newest_vectors import NewestVectors
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.store.samples.snapshot import Snapshot
import numpy as np
import pytest
from support.samples import add_sample

EXTRACTOR = 'a' * 64
ZERO_POINT = 3
PARAMETERS = QuantizationParameters(0.5, ZERO_POINT)


def add(
    store: SampleStore,
    label: str,
    direction: list[float],
    min_novelty: float = 0.1,
    extractor: str = EXTRACTOR,
) -> int:
    return add_sample(
        store,
        label,
        np.array(direction, np.float32),
        extractor=extractor,
        quantization=None,
        min_novelty=min_novelty,
    )


def at_distance(distance: float) -> list[float]:
    """Return a vector at a cosine distance from [1, 0]."""
    return at_angle(np.arccos(1.0 - distance))


def at_angle(angle: float) -> list[float]:
    return [float(np.cos(angle)), float(np.sin(angle))]


@pytest.mark.parametrize(
    ('distance', 'stored'), [(0.0, False), (0.09, False), (0.11, True), (1.0, True), (2.0, True)]
)
def test_samples_below_the_minimum_novelty_are_skipped(
    distance: float, stored: bool, samples: SampleStore
) -> None:
    assert add(samples, 'mug', [1.0, 0.0]) == 1
    assert (add(samples, 'mug', at_distance(distance)) != 0) == stored
    assert samples.counts(extractor=EXTRACTOR) == {'mug': 1 + stored}


def test_the_length_of_an_embedding_does_not_matter(samples: SampleStore) -> None:
    add(samples, 'mug', [1.0, 2.0])
    assert add(samples, 'mug', [1e30, 2e30]) == 0
    assert add(samples, 'mug', [1e-30, 2e-30]) == 0


def test_the_distance_is_that_of_dequantized_embeddings(samples: SampleStore) -> None:
    def add_integers(*steps: int) -> int:
        raw = np.array(steps, np.uint8) + np.uint8(ZERO_POINT)
        return add_sample(
            samples, 'mug', raw, extractor=EXTRACTOR, quantization=PARAMETERS, min_novelty=0.01
        )

    assert add_integers(1, 0) == 1
    # As raw numbers they are [4, 3] and [103, 3], which are far apart.
    assert add_integers(100, 0) == 0
    # As raw numbers they are [4, 3] and [3, 4], which are close.
    assert add_integers(0, 1) == 2


def test_an_exact_duplicate_is_skipped_at_any_minimum_novelty(
    samples: SampleStore,
) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        direction = rng.normal(size=1280).tolist()
        assert add(samples, 'mug', direction, 1e-9)
        assert add(samples, 'mug', direction, 1e-9) == 0


def test_an_embedding_of_zeros_is_near_only_to_zeros(samples: SampleStore) -> None:
    assert add(samples, 'mug', [0.0, 0.0])
    assert add(samples, 'mug', [1.0, 0.0])
    assert add(samples, 'mug', [0.0, 0.0]) == 0
    assert add(samples, 'hat', [1.0, 0.0])
    assert add(samples, 'hat', [0.0, 0.0])


def test_other_classes_and_other_extractors_do_not_matter(samples: SampleStore) -> None:
    add(samples, 'mug', [1.0, 0.0])
    assert add(samples, 'hat', [1.0, 0.0])
    assert add(samples, 'mug', [1.0, 0.0], extractor='b' * 64)
    assert add(samples, 'mug', [1.0, 0.0]) == 0


def test_by_default_no_sample_is_skipped(samples: SampleStore) -> None:
    assert [add(samples, 'mug', [1.0, 0.0], 0.0) for _ in range(3)] == [1, 2, 3]
    assert add(samples, 'mug', [1.0, 0.0]) == 0


def test_a_skipped_sample_changes_no_table(samples: SampleStore, path: Path) -> None:
    add(samples, 'mug', [1.0, 0.0])
    add(samples, 'mug', [1.0, 0.0])
    with closing(sqlite3.connect(path)) as connection:
        for table in ('samples', 'embeddings'):
            question = f'SELECT COUNT(*) FROM {table}'
            (count,) = connection.execute(question).fetchone()
            assert count == 1
    assert add(samples, 'mug', [0.0, 1.0]) == 2, 'its number is not used up'


@pytest.mark.parametrize('min_novelty', [-0.1, 2.1, float('nan'), float('inf')])
def test_an_invalid_minimum_novelty_is_rejected(min_novelty: float, samples: SampleStore) -> None:
    with pytest.raises(ValueError, match=f'min_novelty is {min_novelty}; it must be from 0 to 2'):
        add(samples, 'mug', [1.0, 0.0], min_novelty)


def test_removed_and_relabelled_samples_no_longer_count(samples: SampleStore) -> None:
    first = add(samples, 'mug', [1.0, 0.0])
    assert add(samples, 'mug', [1.0, 0.0]) == 0
    samples.remove('mug', 0, extractor=EXTRACTOR)
    second = add(samples, 'mug', [1.0, 0.0])
    assert second
    samples.undo()
    third = add(samples, 'mug', [1.0, 0.0])
    assert third
    samples.relabel([third], 'hat')
    assert add(samples, 'hat', [1.0, 0.0]) == 0
    fourth = add(samples, 'mug', [1.0, 0.0])
    assert fourth
    samples.remove_samples([fourth])
    assert add(samples, 'mug', [1.0, 0.0])
    samples.relabel_class('mug', 'dog', extractor=EXTRACTOR)
    assert add(samples, 'mug', [1.0, 0.0])
    assert add(samples, 'dog', [1.0, 0.0]) == 0
    assert first < second < third < fourth
    # An undo brings samples back, which count again, and an erased one does not.
    samples.remove('dog', 0, extractor=EXTRACTOR)
    samples.undo()
    assert add(samples, 'dog', [1.0, 0.0]) == 0
    samples.erase('dog', extractor=EXTRACTOR)
    assert add(samples, 'dog', [1.0, 0.0])


def test_a_later_embedding_of_a_sample_counts(samples: SampleStore) -> None:
    other = 'b' * 64
    sample = add(samples, 'mug', [1.0, 0.0])
    add(samples, 'mug', [0.0, 1.0], extractor=other)
    again = np.array([1.0, 0.0], np.float32)
    assert samples.add_embedding(sample, again, extractor=other, quantization=None)
    assert add(samples, 'mug', [1.0, 0.0], extractor=other) == 0


def test_changes_by_another_program_are_noticed(samples: SampleStore, path: Path) -> None:
    add(samples, 'mug', [1.0, 0.0])
    assert add(samples, 'mug', [1.0, 0.0]) == 0
    with SampleStore(path) as other:
        add(other, 'mug', [0.0, 1.0])
        assert add(samples, 'mug', [0.0, 1.0]) == 0
        other.remove('mug', 0, extractor=EXTRACTOR)
        assert add(samples, 'mug', [1.0, 0.0])


def test_a_sample_that_was_not_stored_does_not_count(
    samples: SampleStore, file_size_limit: Callable[[int], AbstractContextManager[None]]
) -> None:
    add(samples, 'mug', [1.0, 0.0])
    with file_size_limit(1000), pytest.raises(StoreError, match='not full'):
        add(samples, 'mug', [0.0, 1.0])
    assert add(samples, 'mug', [0.0, 1.0])


def test_a_damaged_sample_of_the_class_is_named(path: Path) -> None:
    with SampleStore(path) as store:
        sample = add(store, 'mug', [1.0, 0.0])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE embeddings SET data = x'00'")
        connection.commit()
    with SampleStore(path) as store:
        with pytest.raises(StoreError, match=rf"Sample {sample} \('mug'\) in {path} has 1 bytes"):
            add(store, 'mug', [1.0, 0.0])
        assert add(store, 'hat', [1.0, 0.0])


def random_directions(count: int) -> RawArray:
    return np.random.default_rng(4).integers(0, 256, (count, 32), dtype=np.uint8)


@pytest.mark.parametrize('reopened', [False, True])
def test_all_samples_of_a_large_class_are_compared(reopened: bool, path: Path) -> None:
    rows = random_directions(600)

    def add_row(row: RawArray, min_novelty: float) -> int:
        return add_sample(
            store,
            'mug',
            row,
            extractor=EXTRACTOR,
            quantization=PARAMETERS,
            min_novelty=min_novelty,
        )

    with SampleStore(path) as store:
        assert all(add_row(row, 1e-4) for row in rows)
        if not reopened:
            assert not any(add_row(row, 1e-4) for row in rows)
    with SampleStore(path) as store:
        assert not any(add_row(row, 1e-4) for row in rows)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record the ids of samples that are read from the file."""
    ids: list[int] = []
    real = Snapshot.embeddings

    def embeddings(*arguments: Any) -> Iterator[tuple[int, str, str, bytes]]:
        for row in real(*arguments):
            ids.append(row[0])
            yield row

    monkeypatch.setattr(Snapshot, 'embeddings', embeddings)
    return ids


def test_each_sample_is_read_from_the_file_once(path: Path, read: list[int]) -> None:
    with SampleStore(path) as store:
        for number in range(20):
            assert add(store, 'mug', at_angle(number / 20), 1e-4)
            assert add(store, 'hat', at_angle(number / 20), 1e-4)
    assert read == [], 'its own samples are known'
    with SampleStore(path) as store:
        for number in range(20, 30):
            assert add(store, 'mug', at_angle(number / 20), 1e-4)
            assert add(store, 'hat', at_angle(number / 20), 1e-4)
            assert add(store, 'mug', at_angle(number / 20), 1e-4) == 0
    assert sorted(read) == list(range(1, 41))


def test_after_a_change_only_what_is_new_is_read(
    samples: SampleStore, path: Path, read: list[int]
) -> None:
    ids = [add(samples, 'mug', at_distance(distance)) for distance in (0.0, 0.3, 0.6)]
    with SampleStore(path) as other:
        later = add(other, 'mug', at_distance(1.0), 0.0)
        other.remove_samples(ids[:1])
    assert add(samples, 'mug', at_distance(1.0)) == 0
    assert read == [later]
    unchecked = add(samples, 'mug', at_distance(1.3), 0.0)
    samples.remove_samples(ids[1:2])
    assert add(samples, 'mug', at_distance(1.3)) == 0
    assert read == [later, unchecked]
    assert add(samples, 'mug', at_distance(0.0))
    assert add(samples, 'mug', at_distance(0.3))
    assert add(samples, 'mug', at_distance(0.6)) == 0
    assert read == [later, unchecked]


def test_a_class_is_compared_with_the_file_once_after_a_change(
    samples: SampleStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queried: list[str] = []
    real = Snapshot.newest_ids_of_class

    def newest_ids_of_class(self: Snapshot, label: str, *rest: Any, **options: Any) -> list[int]:
        queried.append(label)
        return real(self, label, *rest, **options)

    monkeypatch.setattr(Snapshot, 'newest_ids_of_class', newest_ids_of_class)
    with SampleStore(path) as other:
        for number in range(5):
            add(other, 'mug', at_angle(number / 4), 0.0)
            samples.remove('mug', 1, extractor=EXTRACTOR)
            assert add(samples, 'mug', at_angle(number / 4 + 0.1), 1e-4)
            assert add(samples, 'mug', at_angle(number / 4 + 0.1), 1e-4) == 0
    assert queried == ['mug'] * 5


def test_others_can_write_while_a_class_is_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Snapshot.embeddings
    with SampleStore(path) as store, SampleStore(path) as other:
        add(other, 'mug', [1.0, 0.0])

        def embeddings(*arguments: Any) -> Iterator[tuple[int, str, str, bytes]]:
            # Raises StoreError if this is in a write transaction.
            if not other.counts(extractor='b' * 64):
                add(other, 'mug', [0.0, 1.0])
                add(other, 'key', [0.0, 1.0], extractor='b' * 64)
            yield from real(*arguments)

        monkeypatch.setattr(Snapshot, 'embeddings', embeddings)
        assert add(store, 'mug', [0.0, 1.0]) == 0, 'what was written meanwhile counts'


def test_a_file_in_place_of_the_earlier_one_is_read_again(
    samples: SampleStore, path: Path
) -> None:
    add(samples, 'mug', [1.0, 0.0])
    other = path.with_name('other.db')
    with SampleStore(other) as store:
        add(store, 'mug', [0.0, 1.0])
    other.replace(path)
    with pytest.raises(FilesChangedError):
        add(samples, 'mug', [1.0, 0.0])
    assert add(samples, 'mug', [1.0, 0.0])
    assert add(samples, 'mug', [0.0, 1.0]) == 0


@pytest.mark.parametrize('reopened', [False, True])
@pytest.mark.parametrize('limit', ['MAX_COMPARED', 'MAX_CACHED_BYTES'])
def test_only_the_newest_samples_are_compared(
    limit: str, reopened: bool, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Three samples of two float32 numbers.
    monkeypatch.setattr(novelty, limit, {'MAX_COMPARED': 3, 'MAX_CACHED_BYTES': 24}[limit])
    with SampleStore(path) as store:
        for angle in range(4):
            assert add(store, 'mug', at_angle(angle))
            add(store, 'hat', [1.0, 0.0])
        if not reopened:
            assert add(store, 'mug', at_angle(1)) == 0
            assert add(store, 'mug', at_angle(0))
    with SampleStore(path) as store:
        if reopened:
            assert add(store, 'mug', at_angle(0))
        assert add(store, 'mug', at_angle(0)) == 0
        assert add(store, 'mug', at_angle(2)) == 0
        assert add(store, 'mug', at_angle(1))


def test_the_memory_for_classes_is_bounded(
    samples: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(novelty, 'MAX_CACHED_BYTES', 1000)
    for angle in np.linspace(0.0, 3.0, 10):
        for number in range(20):
            add(samples, f'class {number}', at_angle(angle), 1e-3)
            classes = samples._novelty._classes.values()
            assert 0 < sum(each.num_bytes for each in classes) <= 1000
    assert samples.counts(extractor=EXTRACTOR) == {f'class {number}': 10 for number in range(20)}


def test_the_memory_of_a_class_is_bounded() -> None:
    for dimension in (1280, 100_000, 1_000_000):
        most = NewestVectors(dimension, novelty.MAX_COMPARED, novelty.MAX_CACHED_BYTES).most
        assert 1 <= most <= novelty.MAX_COMPARED
        assert most * dimension * 4 <= novelty.MAX_CACHED_BYTES


def test_threads_that_add_the_same_store_it_once(samples: SampleStore) -> None:
    start = threading.Barrier(4)

    def run() -> None:
        start.wait()
        for angle in np.linspace(0.0, 3.0, 30):
            add(samples, 'mug', at_angle(angle), 1e-3)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert samples.counts(extractor=EXTRACTOR) == {'mug': 30}


def test_samples_that_are_listed_but_not_there_are_reported_as_damage(
    samples: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(samples, 'mug', at_angle(0))
    samples._novelty.clear()
    monkeypatch.setattr(Snapshot, 'embeddings', lambda *_: iter(()))
    with pytest.raises(StoreError, match="1 samples of class 'mug' are listed, but 0"):
        add(samples, 'mug', at_angle(1))
