# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.sample import Sample, StoredPicture, StoredSample
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest

EXTRACTOR = 'a' * 64
JPEG = b'\xff\xd8\xff\xe0 not looked at'
SCALE = QuantizationParameters(0.5, 0)


def sample(value: int, label: str = 'cup', **fields: Any) -> Sample:
    embedding = np.zeros(8, np.uint8)
    embedding[value % 8] = 1 + value // 8
    return Sample(label, {EXTRACTOR: embedding}, **fields)


def add(store: SampleStore, *samples: Sample, **options: Any) -> tuple[int, ...]:
    return store.add(samples, {EXTRACTOR: SCALE}, **options)


def test_a_batch_has_one_addition_and_keeps_all_fields(samples: SampleStore) -> None:
    ids = add(
        samples,
        sample(0, camera='front', stamp_ns=7),
        sample(1, 'key', image=JPEG, added_ns=5),
    )
    assert ids == (1, 2)
    key, cup = samples.list_samples(extractor=EXTRACTOR)
    assert (cup.label, cup.camera, cup.stamp_ns, cup.has_image) == ('cup', 'front', 7, False)
    assert (key.label, key.added_ns, key.has_image) == ('key', 5, True)
    assert cup.addition == key.addition == 1
    assert add(samples) == ()
    assert str(samples.undo()) == "the addition of 2 samples of 'cup', 'key'"


def test_later_batches_of_a_request_are_undone_with_it(samples: SampleStore) -> None:
    first = add(samples, sample(0))
    request = add(samples, sample(1), sample(2))
    add(samples, sample(3), addition=request[0])
    assert str(samples.undo()) == "the addition of 3 samples of 'cup'"
    assert [each.sample_id for each in samples.list_samples(extractor=EXTRACTOR)] == list(first)


@pytest.mark.parametrize(
    'bad',
    [
        Sample('a/b', {EXTRACTOR: np.zeros(8, np.uint8)}),
        Sample('cup', {EXTRACTOR: np.zeros(9, np.uint8)}),
        Sample('cup', {EXTRACTOR: np.zeros(8, np.uint8)}, image=b'no JPEG'),
        Sample('cup', {EXTRACTOR: np.zeros(8, np.uint8)}, added_ns=2**63),
    ],
)
def test_a_rejected_sample_leaves_the_store_unchanged(bad: Sample, samples: SampleStore) -> None:
    with pytest.raises((RequestError, StoreError, ValueError)):
        add(samples, sample(0), bad, min_novelty=0.1)
    assert samples.counts(extractor=EXTRACTOR) == {}
    # It is not in the novelty cache either, where this would be a near-duplicate of it.
    assert add(samples, sample(0), min_novelty=0.1) == (1,)


def test_near_duplicates_within_a_batch_are_skipped(samples: SampleStore) -> None:
    ids = add(samples, sample(0), sample(8), sample(1), sample(0, 'key'), min_novelty=0.1)
    assert ids == (1, 0, 2, 3)
    assert add(samples, sample(1), sample(2), min_novelty=0.1) == (0, 4)
    assert str(samples.undo()) == "the addition of 1 sample of 'cup'"


def test_all_samples_of_all_extractors_at_one_moment(path: Path, samples: SampleStore) -> None:
    add(samples, sample(0, camera='front', stamp_ns=7, added_ns=5), sample(1, 'key', image=JPEG))
    samples.add_embedding(2, np.ones(3, np.float32), extractor='b' * 64, quantization=None)
    with samples.snapshot() as snapshot:
        with SampleStore(path) as another:
            add(another, sample(2))
        (first, of_first), (second, of_second) = snapshot.samples()
        visit = 'front 1970-01-01T00:00:00Z #1'
        assert first == StoredSample(1, 'cup', 'front', 7, False, 1, 5, visit)
        assert second.has_image
        assert (of_first, of_second) == ((EXTRACTOR,), (EXTRACTOR, 'b' * 64))
        assert snapshot.total() == 2
        assert snapshot.picture(1) is None
        assert snapshot.picture(2) == StoredPicture(2, 'key', JPEG)
        kinds = snapshot.kinds()
        assert {name: snapshot.count(name) for name in kinds} == {EXTRACTOR: 2, 'b' * 64: 1}
        found = snapshot.embeddings('b' * 64, kinds['b' * 64])
        assert list(found) == [(2, 'key', second.recording, np.ones(3, '<f4').tobytes())]
        assert sorted(snapshot.digests().values()) == ['cup', 'key', 'key']
    with samples.snapshot() as snapshot:
        assert snapshot.total() == 3


@pytest.mark.parametrize('addition', [-(2**63) - 1, 2**63])
def test_an_addition_beyond_64_bits_is_rejected(addition: int, samples: SampleStore) -> None:
    with pytest.raises(ValueError, match=f'addition is {addition}; it must fit 64 bits'):
        add(samples, sample(0), addition=addition)
    assert samples.counts(extractor=EXTRACTOR) == {}
