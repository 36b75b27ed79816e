# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The data of a report, and when there is nothing to report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.report.analysis.gathering import gather
from edgetpu_retrain.store.models.model_store import ModelStore, ModelVersion
from edgetpu_retrain.store.models.model_version import model_path
from edgetpu_retrain.store.models.serving import ChoiceFile
from edgetpu_retrain.store.samples.sample_store import SampleStore
import pytest

SaveModel = Callable[..., ModelVersion]
Teach = Callable[..., list[int]]


def test_samples_come_with_their_numbers_in_the_store(data_dir: Path, teach: Teach) -> None:
    cups = teach('cup', 3, looks_like=0)
    hats = teach('hat', 2, looks_like=1)
    material = gather(data_dir, 0)
    assert material.samples.ids.tolist() == [*cups, *hats]
    assert [each.sample_id for each in material.stored] == [*cups, *hats]
    assert material.counts == {'cup': 3, 'hat': 2}
    assert material.model is None


def test_a_folder_without_samples_stays_as_it_was(data_dir: Path) -> None:
    with pytest.raises(RequestError, match='has no samples'):
        gather(data_dir, 0)
    assert list(data_dir.iterdir()) == []
    with pytest.raises(RequestError, match='has no samples'):
        gather(data_dir / 'not there', 0)
    assert list(data_dir.iterdir()) == []


def test_an_empty_store_and_a_single_class_give_one_sentence(data_dir: Path, teach: Teach) -> None:
    with SampleStore(data_dir / 'samples.db'):
        pass
    with pytest.raises(RequestError, match='holds no sample'):
        gather(data_dir, 0)
    teach('cup', 3, looks_like=0)
    with pytest.raises(RequestError, match="samples of 'cup' only"):
        gather(data_dir, 0)


def test_version_0_is_the_one_that_serves(
    data_dir: Path, teach: Teach, save_model: SaveModel
) -> None:
    teach('cup', 3, looks_like=0)
    teach('hat', 3, looks_like=1)
    for _ in range(3):
        save_model({'cup': 3, 'hat': 3})
    newest = gather(data_dir, 0).model
    assert newest is not None
    assert newest.version == 3
    ChoiceFile(ModelStore(data_dir / 'models')).choose(2)
    serving = gather(data_dir, 0).model
    assert serving is not None
    assert serving.version == 2
    named = gather(data_dir, 1).model
    assert named is not None
    assert named.version == 1


def test_a_version_that_is_not_there_or_cannot_be(
    data_dir: Path, teach: Teach, save_model: SaveModel
) -> None:
    teach('cup', 3, looks_like=0)
    teach('hat', 3, looks_like=1)
    with pytest.raises(RequestError, match='no model version 7'):
        gather(data_dir, 7)
    save_model({'cup': 3, 'hat': 3})
    with pytest.raises(StoreError, match='no model version 7'):
        gather(data_dir, 7)
    with pytest.raises(RequestError, match='version is -1'):
        gather(data_dir, -1)
    model_path(data_dir / 'models', 1).write_bytes(b'broken')
    with pytest.raises(StoreError, match='not the file that was written'):
        gather(data_dir, 0)


def test_samples_of_another_extractor_than_the_versions(
    data_dir: Path, teach: Teach, save_model: SaveModel
) -> None:
    teach('cup', 3, looks_like=0, extractor='b' * 64)
    teach('hat', 3, looks_like=1, extractor='b' * 64)
    save_model({'cup': 3, 'hat': 3})
    with pytest.raises(RequestError, match=r'extractor aaaaaaaaaaaa.* 6 of bbbbbbbbbbbb'):
        gather(data_dir, 0)


def test_samples_of_other_extractors_are_counted(data_dir: Path, teach: Teach) -> None:
    teach('dog', 2, looks_like=2, extractor='b' * 64)
    teach('cup', 3, looks_like=0)
    teach('hat', 3, looks_like=1)
    material = gather(data_dir, 0)
    assert material.samples.names == ('cup', 'hat')
    assert material.elsewhere == 2


def test_what_changed_since_the_version_was_trained(
    data_dir: Path, teach: Teach, save_model: SaveModel
) -> None:
    teach('cup', 3, looks_like=0)
    teach('hat', 4, looks_like=1)
    save_model({'cup': 3, 'hat': 2, 'dog': 5})
    assert gather(data_dir, 0).changes_since_training() == (('hat', 2, 4), ('dog', 5, 0))


def test_the_versions_own_options_are_used(
    data_dir: Path, teach: Teach, save_model: SaveModel
) -> None:
    teach('cup', 3, looks_like=0)
    teach('hat', 3, looks_like=1)
    options: dict[str, object] = {'seed': 7, 'num_iter': None, 'of_a_later_release': 3}
    save_model({'cup': 3, 'hat': 3}, options=options)
    assert gather(data_dir, 0).options.seed == 7


def test_a_sample_removed_between_two_questions_is_left_out(
    data_dir: Path, teach: Teach, monkeypatch: pytest.MonkeyPatch
) -> None:
    (gone,) = teach('dog', 1, looks_like=2)
    cups = teach('cup', 2, looks_like=0)
    hats = teach('hat', 2, looks_like=1)
    snapshot = SampleStore.snapshot

    def snapshot_then_remove(store: SampleStore, *, extractor: str) -> object:
        samples = snapshot(store, extractor=extractor)
        store.remove_samples([gone])
        return samples

    monkeypatch.setattr(SampleStore, 'snapshot', snapshot_then_remove)
    material = gather(data_dir, 0)
    assert material.samples.ids.tolist() == [*cups, *hats]
    assert material.samples.names == ('cup', 'hat')
    assert material.samples.labels.tolist() == [0, 0, 1, 1]
