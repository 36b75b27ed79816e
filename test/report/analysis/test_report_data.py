# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The data of a report, and when there is nothing to report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.report.analysis.analysis import analyse
from edgetpu_retrain.report.analysis.report_data import read_report_data
from edgetpu_retrain.report.words.cards import cards
from edgetpu_retrain.store.models.choice_file import ChoiceFile
from edgetpu_retrain.store.models.model_store import ModelStore, ModelVersion
from edgetpu_retrain.store.models.model_version import model_path
from edgetpu_retrain.store.samples.sample_store import SampleStore
import pytest

SaveModel = Callable[..., ModelVersion]
Teach = Callable[..., list[int]]


def test_samples_come_with_their_numbers_in_the_store(data_dir: Path, teach: Teach) -> None:
    cups = teach('cup', 3, looks_like=0)
    hats = teach('hat', 2, looks_like=1)
    data = read_report_data(data_dir, 0)
    assert data.samples.ids.tolist() == [*cups, *hats]
    assert sorted(data.stored) == [*cups, *hats]
    assert data.counts == {'cup': 3, 'hat': 2}
    assert data.model is None


def test_a_folder_without_samples_stays_as_it_was(data_dir: Path) -> None:
    with pytest.raises(RequestError, match='has no samples'):
        read_report_data(data_dir, 0)
    assert list(data_dir.iterdir()) == []
    with pytest.raises(RequestError, match='has no samples'):
        read_report_data(data_dir / 'not there', 0)
    assert list(data_dir.iterdir()) == []


def test_an_empty_store_and_a_single_class_give_one_sentence(data_dir: Path, teach: Teach) -> None:
    with SampleStore(data_dir / 'samples.db'):
        pass
    with pytest.raises(RequestError, match='has no sample'):
        read_report_data(data_dir, 0)
    teach('cup', 3, looks_like=0)
    with pytest.raises(RequestError, match="samples of 'cup' only"):
        read_report_data(data_dir, 0)


def test_version_0_is_the_one_that_serves(
    data_dir: Path, teach: Teach, save_model: SaveModel
) -> None:
    teach('cup', 3, looks_like=0)
    teach('hat', 3, looks_like=1)
    for _ in range(3):
        save_model({'cup': 3, 'hat': 3})
    newest = read_report_data(data_dir, 0).model
    assert newest is not None
    assert newest.version == 3
    ChoiceFile(ModelStore(data_dir / 'models')).choose(2)
    serving = read_report_data(data_dir, 0).model
    assert serving is not None
    assert serving.version == 2
    named = read_report_data(data_dir, 1).model
    assert named is not None
    assert named.version == 1


def test_a_version_that_is_not_there_or_cannot_be(
    data_dir: Path, teach: Teach, save_model: SaveModel
) -> None:
    teach('cup', 3, looks_like=0)
    teach('hat', 3, looks_like=1)
    with pytest.raises(RequestError, match='no model version 7'):
        read_report_data(data_dir, 7)
    save_model({'cup': 3, 'hat': 3})
    with pytest.raises(StoreError, match='no model version 7'):
        read_report_data(data_dir, 7)
    model_path(data_dir / 'models', 1).write_bytes(b'broken')
    with pytest.raises(StoreError, match='not the file that was written'):
        read_report_data(data_dir, 0)


def test_samples_of_another_extractor_than_the_versions(
    data_dir: Path, teach: Teach, save_model: SaveModel
) -> None:
    teach('cup', 3, looks_like=0, extractor='b' * 64)
    teach('hat', 3, looks_like=1, extractor='b' * 64)
    save_model({'cup': 3, 'hat': 3})
    with pytest.raises(RequestError, match=r'extractor aaaaaaaaaaaa.* 6 of bbbbbbbbbbbb'):
        read_report_data(data_dir, 0)


def test_samples_of_other_extractors_are_counted(data_dir: Path, teach: Teach) -> None:
    teach('dog', 2, looks_like=2, extractor='b' * 64)
    teach('cup', 3, looks_like=0)
    teach('hat', 3, looks_like=1)
    data = read_report_data(data_dir, 0)
    assert data.samples.names == ('cup', 'hat')
    assert data.elsewhere == 2


def test_what_changed_since_the_version_was_trained(
    data_dir: Path, teach: Teach, save_model: SaveModel
) -> None:
    teach('cup', 3, looks_like=0)
    teach('hat', 4, looks_like=1)
    save_model({'cup': 3, 'hat': 2, 'dog': 5})
    assert read_report_data(data_dir, 0).changes_since_training() == (('hat', 2, 4), ('dog', 5, 0))


def test_the_versions_own_options_are_used(
    data_dir: Path, teach: Teach, save_model: SaveModel
) -> None:
    teach('cup', 3, looks_like=0)
    teach('hat', 3, looks_like=1)
    options: dict[str, object] = {'seed': 7, 'num_iter': None, 'of_a_later_release': 3}
    save_model({'cup': 3, 'hat': 3}, options=options)
    assert read_report_data(data_dir, 0).options.seed == 7


def test_a_sample_that_changes_between_two_queries_does_no_harm(
    data_dir: Path, teach: Teach, monkeypatch: pytest.MonkeyPatch
) -> None:
    (removed,) = teach('dog', 1, looks_like=2)
    cups = teach('cup', 2, looks_like=0)
    hats = teach('hat', 2, looks_like=1)
    list_samples = SampleStore.list_samples

    def list_then_change(store: SampleStore, *, extractor: str) -> object:
        samples = list_samples(store, extractor=extractor)
        store.remove_samples([removed])
        hats.extend(teach('hat', 1, looks_like=1))
        return samples

    monkeypatch.setattr(SampleStore, 'list_samples', list_then_change)
    data = read_report_data(data_dir, 0)
    assert data.samples.ids.tolist() == [*cups, *hats]
    assert data.samples.names == ('cup', 'hat')
    assert data.samples.labels.tolist() == [0, 0, 1, 1, 1]
    assert hats[-1] not in data.stored
    found = analyse(data)
    shown = {card['number']: card['camera'] for card in cards(found, found.unsure, {})}
    assert (shown[cups[0]], shown[hats[-1]]) == ('front', '')
