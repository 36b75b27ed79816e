# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
import sqlite3

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.changes import MAX_CLASSES
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from support.samples import add_sample

EXTRACTOR = 'a' * 64
OTHER = 'b' * 64
JPEG = b'\xff\xd8\xff\xe0' + bytes(500)
Teach = Callable[..., list[int]]


def labels(store: SampleStore, extractor: str = EXTRACTOR) -> dict[int, str]:
    return {each.sample_id: each.label for each in store.list_samples(extractor=extractor)}


def test_a_class_is_relabelled(samples: SampleStore, teach: Teach) -> None:
    teach(samples, 'mug', 3)
    teach(samples, 'hat', 2)
    assert samples.relabel_class('mug', 'cup', extractor=EXTRACTOR) == 3
    assert samples.counts(extractor=EXTRACTOR) == {'cup': 3, 'hat': 2}
    assert samples.training_set(extractor=EXTRACTOR).names == ('cup', 'hat')


def test_two_classes_become_one(samples: SampleStore, teach: Teach) -> None:
    teach(samples, 'mug', 3)
    teach(samples, 'cup', 2)
    assert samples.relabel_class('cup', 'mug', extractor=EXTRACTOR) == 2
    assert samples.counts(extractor=EXTRACTOR) == {'mug': 5}


def test_relabelling_a_missing_class_changes_nothing(samples: SampleStore, teach: Teach) -> None:
    teach(samples, 'mug')
    assert samples.relabel_class('hat', 'cap', extractor=EXTRACTOR) == 0
    assert samples.counts(extractor=EXTRACTOR) == {'mug': 1}


def test_samples_of_another_extractor_keep_their_label(samples: SampleStore, teach: Teach) -> None:
    teach(samples, 'mug', 2)
    teach(samples, 'mug', 1, extractor=OTHER)
    assert samples.relabel_class('mug', 'cup', extractor=EXTRACTOR) == 2
    assert samples.counts(extractor=OTHER) == {'mug': 1}


@pytest.mark.parametrize(
    ('label', 'new_label', 'words'),
    [
        ('mug', 'mug', "is called 'mug' already"),
        ('mug', '', 'is empty'),
        ('mug', 'Unknown', 'is reserved'),
        ('mug', 'a/b', 'contains'),
        ('', 'mug', 'is empty'),
    ],
)
def test_an_invalid_new_class_label_is_rejected(
    label: str, new_label: str, words: str, samples: SampleStore, teach: Teach
) -> None:
    teach(samples, 'mug', 2)
    with pytest.raises(RequestError, match=words):
        samples.relabel_class(label, new_label, extractor=EXTRACTOR)
    assert samples.counts(extractor=EXTRACTOR) == {'mug': 2}


def test_single_samples_are_relabelled(samples: SampleStore, teach: Teach) -> None:
    mugs = teach(samples, 'mug', 3)
    hats = teach(samples, 'hat', 2)
    assert samples.relabel([mugs[1], hats[0], hats[0]], 'cap') == 2
    assert labels(samples) == {1: 'mug', 2: 'cap', 3: 'mug', 4: 'cap', 5: 'hat'}


def test_single_samples_are_removed(samples: SampleStore, teach: Teach) -> None:
    mugs = teach(samples, 'mug', 3)
    assert samples.remove_samples([mugs[0], mugs[2]]) == 2
    assert labels(samples) == {2: 'mug'}
    assert samples.remove_samples([]) == 0


@pytest.mark.parametrize('missing', [0, -1, 99, 2**63, -(2**70)])
def test_if_one_does_not_exist_none_is_changed(
    missing: int, samples: SampleStore, teach: Teach
) -> None:
    ids = teach(samples, 'mug', 2)
    words = f'There is no sample {missing}, so nothing was changed'
    with pytest.raises(RequestError, match=words):
        samples.relabel([*ids, missing], 'hat')
    with pytest.raises(RequestError, match=words):
        samples.remove_samples([*ids, missing])
    assert samples.counts(extractor=EXTRACTOR) == {'mug': 2}


def test_the_error_lists_only_some_of_many_missing_samples(samples: SampleStore) -> None:
    with pytest.raises(RequestError, match=r'no sample 1, 2, .*, 10 and 9990 more, so'):
        samples.remove_samples(range(1, 10_001))


def test_an_invalid_label_of_single_samples_is_rejected(
    samples: SampleStore, teach: Teach
) -> None:
    ids = teach(samples, 'mug')
    with pytest.raises(RequestError, match='is reserved'):
        samples.relabel(ids, 'unknown')


CHANGES: dict[str, Callable[[SampleStore], object]] = {
    'remove': lambda store: store.remove('mug', 0, extractor=EXTRACTOR),
    'remove single': lambda store: store.remove_samples([1, 2]),
    'undo': lambda store: store.undo(),
    'erase': lambda store: store.erase('mug', extractor=EXTRACTOR),
    'erase single': lambda store: store.erase_samples([1, 2]),
    'relabel a class': lambda store: store.relabel_class('mug', 'cup', extractor=EXTRACTOR),
    'relabel single': lambda store: store.relabel([1, 2], 'cup'),
    'add with a picture': lambda store: add_sample(
        store,
        'mug',
        np.zeros(8, np.uint8),
        extractor=EXTRACTOR,
        quantization=QuantizationParameters(0.5, 3),
        image=JPEG * 100,
        min_novelty=0.5,
    ),
    'embed again': lambda store: store.add_embedding(
        1, np.zeros(8, np.float32), extractor=OTHER, quantization=None
    ),
}


def content(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


@pytest.mark.parametrize('change', CHANGES.values(), ids=CHANGES)
def test_a_full_disk_leaves_the_store_unchanged(
    change: Callable[[SampleStore], object],
    samples: SampleStore,
    path: Path,
    teach: Teach,
    file_size_limit: Callable[[int], AbstractContextManager[None]],
) -> None:
    teach(samples, 'mug', 20, image=JPEG)
    before = content(path)
    with (
        file_size_limit(1000),
        pytest.raises(StoreError, match=rf'Cannot [a-z ]+ {path}: .*What to do: .*full'),
    ):
        change(samples)
    assert content(path) == before
    change(samples)
    assert content(path) != before


@pytest.mark.parametrize('change', CHANGES.values(), ids=CHANGES)
def test_a_change_is_visible_to_the_next_process(
    change: Callable[[SampleStore], object], path: Path, teach: Teach
) -> None:
    with SampleStore(path) as store:
        teach(store, 'mug', 3, image=JPEG)
        before = content(path)
        change(store)
        after = content(path)
    assert after != before
    assert content(path) == after


@pytest.mark.parametrize('change', CHANGES.values(), ids=CHANGES)
def test_a_closed_store_raises_store_error(
    change: Callable[[SampleStore], object], path: Path, teach: Teach
) -> None:
    store = SampleStore(path)
    teach(store, 'mug', 3)
    store.close()
    with pytest.raises(StoreError, match=rf'Cannot [a-z ]+ {path}: it was closed'):
        change(store)


def test_the_number_of_classes_is_limited(samples: SampleStore) -> None:
    embedding = np.zeros(4, np.float32)
    some = [Sample(f'class {number}', {EXTRACTOR: embedding}) for number in range(MAX_CLASSES)]
    ids = samples.add(some, {EXTRACTOR: None})
    attempts: tuple[Callable[[], object], ...] = (
        lambda: add_sample(samples, 'new', embedding, extractor=EXTRACTOR, quantization=None),
        lambda: samples.relabel(ids[:1], 'new'),
        lambda: samples.relabel_class('class 0', 'new', extractor=EXTRACTOR),
    )
    for attempt in attempts:
        with pytest.raises(RequestError, match="'new' would be one class more than the 1000"):
            attempt()
    add_sample(samples, 'class 7', embedding, extractor=EXTRACTOR, quantization=None)
    assert samples.relabel_class('class 0', 'class 1', extractor=EXTRACTOR) == 1
    add_sample(samples, 'new', embedding, extractor=EXTRACTOR, quantization=None)
