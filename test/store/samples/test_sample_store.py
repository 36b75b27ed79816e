# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
import re
import sqlite3
import subprocess
import threading

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.embedding_kind import RawArray
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from support.samples import add_sample

EXTRACTOR = 'a' * 64
OTHER = 'b' * 64
PARAMETERS = QuantizationParameters(0.023528477177023888, 3)
DIMENSION = 8


def embedding(seed: int = 0) -> RawArray:
    return np.random.default_rng(seed).integers(0, 256, DIMENSION, dtype=np.uint8)


def teach(store: SampleStore, label: str, times: int = 1, extractor: str = EXTRACTOR) -> list[int]:
    return [
        add_sample(store, label, embedding(seed), extractor=extractor, quantization=PARAMETERS)
        for seed in range(times)
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'samples.db'


@pytest.fixture
def store(path: Path) -> Iterator[SampleStore]:
    with SampleStore(path) as opened:
        yield opened


def change_file(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def test_a_new_store_is_empty(store: SampleStore) -> None:
    assert store.counts(extractor=EXTRACTOR) == {}
    samples = store.training_set(extractor=EXTRACTOR)
    assert samples.embeddings.shape == (0, 0)
    assert samples.labels.shape == (0,)
    assert samples.names == ()
    assert samples.quantization is None


@pytest.mark.parametrize('dtype', ['uint8', 'int8', 'float32'])
def test_samples_are_there_bit_for_bit_after_reopening(dtype: str, path: Path) -> None:
    rng = np.random.default_rng(5)
    taught = rng.integers(-128, 128, (4, DIMENSION)).astype(dtype)
    quantization = None if dtype == 'float32' else PARAMETERS
    labels = ['mug', 'hat', 'mug', 'dog']
    with SampleStore(path) as store:
        for label, row in zip(labels, taught, strict=True):
            add_sample(store, label, row, extractor=EXTRACTOR, quantization=quantization)
    with SampleStore(path) as store:
        samples = store.training_set(extractor=EXTRACTOR)
        assert store.counts(extractor=EXTRACTOR) == {'mug': 2, 'hat': 1, 'dog': 1}
    np.testing.assert_array_equal(samples.embeddings, taught)
    assert samples.embeddings.dtype == np.dtype(dtype)
    assert samples.labels.dtype == np.int64
    assert samples.labels.tolist() == [0, 1, 0, 2]
    assert samples.names == ('mug', 'hat', 'dog')
    assert samples.quantization == quantization


def test_classes_come_in_the_order_in_which_they_were_first_taught(store: SampleStore) -> None:
    for label in ('zebra', 'ant', 'zebra', 'mole', 'ant'):
        teach(store, label)
    assert list(store.counts(extractor=EXTRACTOR)) == ['zebra', 'ant', 'mole']
    store.remove('zebra', 0, extractor=EXTRACTOR)
    teach(store, 'zebra')
    assert list(store.counts(extractor=EXTRACTOR)) == ['ant', 'mole', 'zebra']
    assert store.training_set(extractor=EXTRACTOR).names == ('ant', 'mole', 'zebra')


def test_a_training_set_is_not_changed_by_later_samples(store: SampleStore) -> None:
    teach(store, 'mug', 3)
    samples = store.training_set(extractor=EXTRACTOR)
    teach(store, 'hat', 2)
    assert samples.labels.tolist() == [0, 0, 0]
    assert len(store.training_set(extractor=EXTRACTOR).labels) == 5


def test_extractors_are_never_mixed(store: SampleStore) -> None:
    teach(store, 'mug', 3)
    long = np.zeros(3 * DIMENSION, np.float32)
    add_sample(store, 'hat', long, extractor=OTHER, quantization=None)
    assert store.counts(extractor=EXTRACTOR) == {'mug': 3}
    assert store.counts(extractor=OTHER) == {'hat': 1}
    assert store.training_set(extractor=OTHER).embeddings.shape == (1, 3 * DIMENSION)
    assert store.remove('', 99, extractor=EXTRACTOR) == 3
    assert store.counts(extractor=OTHER) == {'hat': 1}


def test_camera_stamp_and_request_are_kept(store: SampleStore, path: Path) -> None:
    first = add_sample(
        store,
        'mug',
        embedding(),
        extractor=EXTRACTOR,
        quantization=PARAMETERS,
        camera='front',
        stamp_ns=1_700_000_000_123_456_789,
    )
    second = add_sample(
        store, 'mug', embedding(), extractor=EXTRACTOR, quantization=PARAMETERS, addition=first
    )
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute('SELECT id, label, camera, stamp_ns, addition FROM samples')
        assert rows.fetchall() == [
            (first, 'mug', 'front', 1_700_000_000_123_456_789, first),
            (second, 'mug', '', 0, first),
        ]


@pytest.mark.parametrize(
    ('label', 'newest', 'removed', 'left'),
    [
        ('mug', 0, 4, {'hat': 2}),
        ('mug', 1, 1, {'mug': 3, 'hat': 2}),
        ('mug', 9, 4, {'hat': 2}),
        ('', 1, 1, {'mug': 3, 'hat': 2}),
        ('', 3, 3, {'mug': 2, 'hat': 1}),
        ('', 99, 6, {}),
        ('dog', 0, 0, {'mug': 4, 'hat': 2}),
    ],
)
def test_removing_the_newest_or_a_class(
    label: str, newest: int, removed: int, left: dict[str, int], store: SampleStore, path: Path
) -> None:
    for each, times in (('mug', 2), ('hat', 2), ('mug', 2)):
        teach(store, each, times)
    assert store.remove(label, newest, extractor=EXTRACTOR) == removed
    assert store.counts(extractor=EXTRACTOR) == left
    with closing(sqlite3.connect(path)) as connection:
        (embeddings,) = connection.execute('SELECT COUNT(*) FROM embeddings').fetchone()
    assert embeddings == 6 - removed, 'no embedding stays without its sample'


def test_the_newest_of_a_class_goes_first(store: SampleStore) -> None:
    teach(store, 'mug', 3)
    store.remove('mug', 1, extractor=EXTRACTOR)
    left = store.training_set(extractor=EXTRACTOR).embeddings
    np.testing.assert_array_equal(left, [embedding(0), embedding(1)])


def test_the_number_of_a_removed_sample_is_not_used_again(store: SampleStore) -> None:
    last = teach(store, 'mug', 2)[-1]
    store.remove('mug', 0, extractor=EXTRACTOR)
    assert teach(store, 'mug') == [last + 1]


@pytest.mark.parametrize(
    ('label', 'newest', 'words'),
    [('', 0, 'Neither a label'), ('mug', -1, 'n is -1'), ('a/b', 0, "contains '/'")],
)
def test_an_invalid_removal_is_rejected(
    label: str, newest: int, words: str, store: SampleStore
) -> None:
    teach(store, 'mug', 2)
    with pytest.raises(RequestError, match=words):
        store.remove(label, newest, extractor=EXTRACTOR)
    assert store.counts(extractor=EXTRACTOR) == {'mug': 2}


@pytest.mark.parametrize(
    ('given', 'quantization', 'words'),
    [
        (np.zeros(DIMENSION + 1, np.uint8), PARAMETERS, 'gave 9 numbers of uint8'),
        (np.zeros(DIMENSION, np.int8), PARAMETERS, 'gave 8 numbers of int8'),
        (np.zeros(DIMENSION, np.float32), None, 'gave 8 numbers of float32'),
        (np.zeros(DIMENSION, np.uint8), QuantizationParameters(0.5, 3), 'scale 0.5'),
        (np.full(DIMENSION, np.nan, np.float32), None, 'not finite'),
    ],
)
def test_another_kind_of_embedding_of_an_extractor_is_rejected(
    given: RawArray, quantization: QuantizationParameters | None, words: str, store: SampleStore
) -> None:
    teach(store, 'mug')
    with pytest.raises(StoreError, match=f'was not stored.*{words}.*What to do'):
        add_sample(store, 'mug', given, extractor=EXTRACTOR, quantization=quantization)
    assert store.counts(extractor=EXTRACTOR) == {'mug': 1}


def test_an_invalid_label_is_rejected(store: SampleStore) -> None:
    with pytest.raises(RequestError, match='empty'):
        teach(store, '')
    assert store.counts(extractor=EXTRACTOR) == {}


def test_a_blob_of_the_wrong_length_is_found_and_the_sample_named(
    store: SampleStore, path: Path
) -> None:
    teach(store, 'mug')
    (damaged,) = teach(store, 'hat')
    change_file(path, "UPDATE embeddings SET data = x'0102' WHERE sample_id = ?", damaged)
    words = rf"Sample {damaged} \('hat'\) in {path} has 2 bytes where 8.*What to do: "
    with pytest.raises(StoreError, match=words):
        store.training_set(extractor=EXTRACTOR)
    # The advice of the message works.
    store.remove('hat', 0, extractor=EXTRACTOR)
    assert store.training_set(extractor=EXTRACTOR).names == ('mug',)


@pytest.mark.parametrize(
    'change', ["dtype = 'float64'", 'dimension = -1', 'scale = NULL', "dtype = 'float32'"]
)
def test_a_damaged_description_of_an_extractor_is_found(
    change: str, store: SampleStore, path: Path
) -> None:
    teach(store, 'mug')
    change_file(path, f'UPDATE extractors SET {change}')
    with pytest.raises(StoreError, match=f'{path} is damaged where it describes.*What to do: '):
        store.training_set(extractor=EXTRACTOR)


def test_threads_can_add_and_read_at_the_same_time(store: SampleStore) -> None:
    start = threading.Barrier(4)
    failures: list[BaseException] = []

    def run(label: str) -> None:
        try:
            start.wait()
            for seed in range(40):
                add_sample(
                    store, label, embedding(seed), extractor=EXTRACTOR, quantization=PARAMETERS
                )
                samples = store.training_set(extractor=EXTRACTOR)
                assert len(samples.labels) == len(samples.embeddings)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=run, args=(f'class {index}',)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    counts = store.counts(extractor=EXTRACTOR)
    assert counts == {f'class {index}': 40 for index in range(4)}


def test_a_closed_store_raises_store_error(path: Path) -> None:
    store = SampleStore(path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match=re.escape(f'store a sample in {path}: it was closed')):
        teach(store, 'mug')


# Prints what reading the samples raises while the process may map only 16 MB more.
READER_WITHOUT_MEMORY = """
from pathlib import Path
import resource
import sys
from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.samples.sample_store import SampleStore
with SampleStore(Path(sys.argv[1])) as store:
    pages = int(Path('/proc/self/statm').read_text().split()[0])
    limit = pages * resource.getpagesize() + 2**24
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    try:
        store.training_set(extractor='a' * 64)
    except StoreError as error:
        print(error)
"""


def test_too_little_memory_is_reported_and_nothing_is_lost(
    store: SampleStore, path: Path, start_python: Callable[..., subprocess.Popen[str]]
) -> None:
    for _ in range(12):
        large = np.zeros(1_000_000, np.float32)
        add_sample(store, 'mug', large, extractor=EXTRACTOR, quantization=None)
    printed, _ = start_python('-c', READER_WITHOUT_MEMORY, path).communicate()
    assert 'there is too little memory. What to do: free memory.' in printed
    assert 'damaged' not in printed
    assert len(store.training_set(extractor=EXTRACTOR).labels) == 12
