# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
import sqlite3
import threading

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples import novelty
from edgetpu_retrain.store.samples.embedding_kind import RawArray
from edgetpu_retrain.store.samples.sample_store import SampleStore
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
    angle = np.arccos(1.0 - distance)
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


def test_a_damaged_sample_of_the_class_is_named(samples: SampleStore, path: Path) -> None:
    sample = add(samples, 'mug', [1.0, 0.0])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE embeddings SET data = x'00'")
        connection.commit()
    with pytest.raises(StoreError, match=rf"Sample {sample} \('mug'\) in {path} has 1 bytes"):
        add(samples, 'mug', [1.0, 0.0])
    assert add(samples, 'hat', [1.0, 0.0])


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


def test_a_class_is_read_from_the_file_once(
    samples: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = novelty.NoveltyCheck._read

    def count(self: novelty.NoveltyCheck, *arguments: object) -> object:
        read.append(str(arguments[-1]))
        return real(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(novelty.NoveltyCheck, '_read', count)
    for number in range(20):
        add(samples, 'mug', [1.0, float(number)], 1e-4)
        add(samples, 'hat', [1.0, float(number)], 1e-4)
    assert read == ['mug', 'hat']


def test_the_memory_for_classes_is_bounded(
    samples: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(novelty, 'MAX_CACHED_BYTES', 10_000)
    for _ in range(2):
        for number in range(20):
            add(samples, f'class {number}', [1.0, 0.0])
            # The newest class gets its first row only when its sample is stored.
            assert samples._novelty._num_bytes() <= 10_000 + 256 * 2 * 4
    assert samples.counts(extractor=EXTRACTOR) == {f'class {number}': 1 for number in range(20)}


def test_threads_that_add_the_same_store_it_once(samples: SampleStore) -> None:
    start = threading.Barrier(4)

    def run() -> None:
        start.wait()
        for angle in np.linspace(0.0, 3.0, 30):
            add(samples, 'mug', [float(np.cos(angle)), float(np.sin(angle))], 1e-3)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert samples.counts(extractor=EXTRACTOR) == {'mug': 30}
