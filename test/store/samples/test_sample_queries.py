# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import time

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.sample import StoredPicture, StoredSample, Unembedded
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from support.samples import add_sample

EXTRACTOR = 'a' * 64
OTHER = 'b' * 64
JPEG = b'\xff\xd8\xff\xe0picture'
Teach = Callable[..., list[int]]


def test_a_sample_is_listed_with_all_its_fields(samples: SampleStore) -> None:
    before = time.time_ns()
    first = add_sample(
        samples,
        'mug',
        np.zeros(8, np.uint8),
        extractor=EXTRACTOR,
        quantization=QuantizationParameters(0.5, 3),
        camera='front',
        stamp_ns=np.int64(123),
        image=JPEG,
    )
    (listed,) = samples.list_samples(extractor=EXTRACTOR)
    assert before <= listed.added_ns <= time.time_ns()
    assert listed == StoredSample(
        sample_id=first,
        label='mug',
        camera='front',
        stamp_ns=123,
        has_image=True,
        addition=first,
        added_ns=listed.added_ns,
        recording=listed.recording,
    )


def test_samples_are_listed_newest_first_by_class_and_number(
    samples: SampleStore, teach: Teach
) -> None:
    teach(samples, 'mug', 3)
    teach(samples, 'hat', 2)
    teach(samples, 'mug', 1)
    teach(samples, 'mug', 2, extractor=OTHER)

    def listed(label: str = '', limit: int = 0) -> list[int]:
        return [each.sample_id for each in samples.list_samples(label, limit, extractor=EXTRACTOR)]

    assert listed() == [6, 5, 4, 3, 2, 1]
    assert listed('mug') == [6, 3, 2, 1]
    assert listed('mug', 2) == [6, 3]
    assert listed('', 4) == [6, 5, 4, 3]
    assert listed('dog') == []
    assert [each.addition for each in samples.list_samples(extractor=EXTRACTOR)] == [
        6, 4, 4, 1, 1, 1,
    ]  # fmt: skip


def test_extractors_are_counted_the_one_last_taught_with_first(
    samples: SampleStore, teach: Teach
) -> None:
    assert samples.extractors() == {}
    teach(samples, 'mug', 3)
    teach(samples, 'hat', 2, extractor=OTHER)
    assert list(samples.extractors().items()) == [(OTHER, 2), (EXTRACTOR, 3)]
    teach(samples, 'mug', 1)
    assert list(samples.extractors().items()) == [(EXTRACTOR, 4), (OTHER, 2)]
    samples.remove('hat', 0, extractor=OTHER)
    assert samples.extractors() == {EXTRACTOR: 4}


def test_a_training_set_has_the_ids_of_its_samples(samples: SampleStore, teach: Teach) -> None:
    teach(samples, 'mug', 3)
    teach(samples, 'hat', 2, extractor=OTHER)
    teach(samples, 'hat', 1)
    samples.remove_samples([2])
    found = samples.training_set(extractor=EXTRACTOR)
    assert found.ids.tolist() == [1, 3, 6]
    assert [found.names[label] for label in found.labels] == ['mug', 'mug', 'hat']
    assert samples.training_set(extractor='c' * 64).ids.tolist() == []


@pytest.mark.parametrize('limit', [-1, 2**63])
def test_an_invalid_limit_is_rejected(limit: int, samples: SampleStore) -> None:
    with pytest.raises(ValueError, match=f'limit is {limit}'):
        samples.list_samples(limit=limit, extractor=EXTRACTOR)


def test_a_picture_comes_back_byte_for_byte(path: Path, teach: Teach) -> None:
    picture = JPEG + bytes(range(256)) * 1000
    with SampleStore(path) as store:
        (with_picture,) = teach(store, 'mug', image=picture)
        (without,) = teach(store, 'mug')
    with SampleStore(path) as store:
        assert store.picture(with_picture) == StoredPicture(with_picture, 'mug', picture)
        assert store.picture(without) is None
        assert [each.has_image for each in store.list_samples(extractor=EXTRACTOR)] == [
            False,
            True,
        ]


@pytest.mark.parametrize('sample', [0, -1, 99, 2**64])
def test_a_missing_sample_has_no_picture(sample: int, samples: SampleStore) -> None:
    assert samples.picture(sample) is None


def test_a_picture_goes_with_its_sample(samples: SampleStore, teach: Teach) -> None:
    (sample,) = teach(samples, 'mug', image=JPEG)
    samples.remove_samples([sample])
    assert samples.picture(sample) is None


def test_samples_of_another_extractor_are_embedded_again(
    samples: SampleStore, teach: Teach
) -> None:
    teach(samples, 'mug', 2, image=JPEG)
    teach(samples, 'hat', 1)
    teach(samples, 'hat', 1, image=JPEG)
    assert samples.unembedded(extractor=OTHER) == Unembedded(samples=4, with_image=3)
    for picture in samples.to_reembed(OTHER):
        assert picture.jpeg == JPEG
        embedding = np.full(16, picture.sample_id, np.float32)
        assert samples.add_embedding(
            picture.sample_id, embedding, extractor=OTHER, quantization=None
        )
    assert samples.unembedded(extractor=OTHER) == Unembedded(samples=1, with_image=0)
    assert list(samples.to_reembed(OTHER)) == []
    assert samples.counts(extractor=OTHER) == {'mug': 2, 'hat': 1}
    assert samples.training_set(extractor=OTHER).embeddings[:, 0].tolist() == [1, 2, 4]
    # They are unchanged for the first extractor.
    assert samples.counts(extractor=EXTRACTOR) == {'mug': 2, 'hat': 2}
    assert samples.training_set(extractor=EXTRACTOR).embeddings.shape == (4, 8)
    assert samples.unembedded(extractor=EXTRACTOR) == Unembedded(0, 0)


def test_both_embeddings_of_a_sample_change_together(samples: SampleStore, teach: Teach) -> None:
    ids = teach(samples, 'mug', 2, image=JPEG)
    for sample in ids:
        samples.add_embedding(sample, np.zeros(4, np.float32), extractor=OTHER, quantization=None)
    samples.relabel_class('mug', 'cup', extractor=OTHER)
    assert samples.counts(extractor=EXTRACTOR) == {'cup': 2}
    samples.remove('cup', 1, extractor=OTHER)
    assert samples.counts(extractor=EXTRACTOR) == {'cup': 1}
    samples.undo()
    assert samples.counts(extractor=EXTRACTOR) == samples.counts(extractor=OTHER) == {'cup': 2}


def test_re_embedding_continues_while_samples_change(samples: SampleStore, teach: Teach) -> None:
    ids = teach(samples, 'mug', 3, image=JPEG)
    pictures = samples.to_reembed(OTHER)
    assert next(pictures).sample_id == ids[0]
    samples.remove_samples([ids[0], ids[1]])
    late = teach(samples, 'mug', 1, image=JPEG)
    assert [each.sample_id for each in pictures] == [ids[2]]
    embedding = np.zeros(4, np.float32)
    assert not samples.add_embedding(ids[0], embedding, extractor=OTHER, quantization=None)
    assert not samples.add_embedding(2**70, embedding, extractor=OTHER, quantization=None)
    assert samples.counts(extractor=OTHER) == {}
    assert [each.sample_id for each in samples.to_reembed(OTHER)] == [ids[2], *late]


def test_an_embedding_is_replaced_by_one_of_the_same_kind_only(
    samples: SampleStore, teach: Teach
) -> None:
    (sample,) = teach(samples, 'mug')
    parameters = QuantizationParameters(0.5, 3)
    new = np.full(8, 7, np.uint8)
    assert samples.add_embedding(sample, new, extractor=EXTRACTOR, quantization=parameters)
    np.testing.assert_array_equal(samples.training_set(extractor=EXTRACTOR).embeddings, [new])
    with pytest.raises(StoreError, match='gave 9 numbers'):
        samples.add_embedding(
            sample, np.zeros(9, np.uint8), extractor=EXTRACTOR, quantization=parameters
        )
    with pytest.raises(StoreError, match='not finite'):
        samples.add_embedding(
            sample, np.full(8, np.inf, np.float32), extractor=OTHER, quantization=None
        )
    np.testing.assert_array_equal(samples.training_set(extractor=EXTRACTOR).embeddings, [new])


def test_changes_of_others_are_noticed_and_own_ones_are_not(
    samples: SampleStore, teach: Teach
) -> None:
    before = samples.changes_by_others()
    teach(samples, 'mug', 1)
    assert samples.changes_by_others() == before
    with SampleStore(samples.path) as other:
        teach(other, 'mug', 1)
    after = samples.changes_by_others()
    assert after != before
    assert samples.changes_by_others() == after


def test_all_labels_are_read_with_their_ids(samples: SampleStore, teach: Teach) -> None:
    ids = teach(samples, 'mug', 2) + teach(samples, 'hat', 1)
    samples.relabel(ids[:1], 'cup')
    with samples.snapshot() as snapshot:
        assert list(snapshot.labels()) == [*zip(ids, ['cup', 'mug', 'hat'], strict=True)]
