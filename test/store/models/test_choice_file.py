# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
import json
import os
from pathlib import Path
import threading

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.models.choice_file import Choice, ChoiceFile
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_store import ModelStore
import pytest

RECORD = ModelRecord(('a', 'b'), {'a': 1, 'b': 1}, 1.0, 1.0, 1.0, ((1, 0), (0, 1)), 'c' * 64, 0.0)


@pytest.fixture
def models(tmp_path: Path) -> ModelStore:
    """Return a store with versions 1 to 5."""
    store = ModelStore(tmp_path / 'models')
    for _ in range(5):
        store.save(b'model', RECORD)
    return store


@pytest.fixture
def choice(models: ModelStore) -> ChoiceFile:
    return ChoiceFile(models)


def file(models: ModelStore) -> Path:
    return models.folder / 'serving.json'


def copy(models: ModelStore) -> Path:
    return models.folder / 'serving.copy.json'


def test_at_first_nothing_is_chosen_and_the_newest_is_tried_first(choice: ChoiceFile) -> None:
    assert choice.current() is None
    assert choice.versions_to_try() == (5, 4, 3, 2, 1)


def test_a_choice_is_there_for_the_next_process(models: ModelStore, choice: ChoiceFile) -> None:
    assert choice.choose(3) == Choice(version=3, swaps=1, newest=5)
    assert ChoiceFile(ModelStore(models.folder)).current() == Choice(3, 1, 5)


def test_swaps_are_counted_and_the_same_version_is_no_swap(
    models: ModelStore, choice: ChoiceFile
) -> None:
    assert [choice.choose(version).swaps for version in (5, 5, 4, 5, 5, 1)] == [1, 1, 2, 3, 3, 4]
    assert ChoiceFile(models).choose(2).swaps == 5


def test_a_rollback_survives_a_restart_until_there_is_a_newer_model(
    models: ModelStore, choice: ChoiceFile
) -> None:
    choice.choose(5)
    choice.choose(3)
    assert choice.versions_to_try() == (3, 2, 1, 5, 4)
    # A training was killed before its model could be chosen.
    models.save(b'model', RECORD)
    assert choice.versions_to_try() == (6, 3, 2, 1, 5, 4)
    # The user chooses the old one again.
    assert choice.choose(3) == Choice(3, 2, 6)
    assert choice.versions_to_try() == (3, 2, 1, 6, 5, 4)


def test_a_chosen_version_that_is_gone_leaves_those_before_it(
    models: ModelStore, choice: ChoiceFile
) -> None:
    choice.choose(3)
    models.prune(1, in_use={2})
    assert choice.versions_to_try() == (2, 5)


def test_a_version_that_is_not_there_or_damaged_is_not_chosen(
    models: ModelStore, choice: ChoiceFile
) -> None:
    choice.choose(3)
    with pytest.raises(StoreError, match=r'no model version 7 in .*; there are: 1, 2'):
        choice.choose(7)
    os.truncate(models.load(4).path, 1)
    with pytest.raises(StoreError, match='incomplete or was changed'):
        choice.choose(4)
    assert choice.current() == Choice(3, 1, 5)


def test_the_copy_is_written_first_and_each_file_flushed_before_its_rename(
    choice: ChoiceFile, disk_calls: list[tuple[str, str]]
) -> None:
    disk_calls.clear()
    choice.choose(3)
    expected = []
    for name in ('serving.copy.json', 'serving.json'):
        expected += [('flush', f'.{name}.partial'), ('rename', name), ('flush', 'models')]
    assert disk_calls == expected


DAMAGES: dict[str, bytes] = {
    'empty': b'',
    'no JSON': b'\xff\x00{',
    'nested': b'[' * 100_000,
    'a list': b'[1]',
    'of a newer format': json.dumps({'format': 2, 'version': 3, 'swaps': 1, 'newest': 5}).encode(),
    'a field too few': json.dumps({'format': 1, 'version': 3, 'swaps': 1}).encode(),
    'a text': json.dumps({'format': 1, 'version': '3', 'swaps': 1, 'newest': 5}).encode(),
    'impossible': json.dumps({'format': 1, 'version': 6, 'swaps': 1, 'newest': 5}).encode(),
    'negative': json.dumps({'format': 1, 'version': 3, 'swaps': -1, 'newest': 5}).encode(),
}


@pytest.mark.parametrize('name', ['serving.json', 'serving.copy.json'])
@pytest.mark.parametrize('damage', DAMAGES.values(), ids=DAMAGES)
def test_one_damaged_file_costs_neither_the_choice_nor_the_count(
    damage: bytes, name: str, models: ModelStore, choice: ChoiceFile
) -> None:
    for version in (5, 4, 3):
        choice.choose(version)
    (models.folder / name).write_bytes(damage)
    assert choice.current() == Choice(3, 3, 5)
    assert choice.choose(4) == Choice(4, 4, 5)
    assert file(models).read_bytes() == copy(models).read_bytes(), 'both are whole again'


@pytest.mark.parametrize('damage', DAMAGES.values(), ids=DAMAGES)
def test_an_error_names_both_damaged_files(
    damage: bytes, models: ModelStore, choice: ChoiceFile
) -> None:
    choice.choose(3)
    file(models).write_bytes(damage)
    copy(models).write_bytes(damage)
    for ask in (choice.current, choice.versions_to_try, lambda: choice.choose(4)):
        with pytest.raises(StoreError, match=f'{file(models)} is damaged: .*What to do: '):
            ask()
    # The advice of the message works.
    file(models).unlink()
    copy(models).unlink()
    assert choice.choose(4) == Choice(4, 1, 5)


def test_an_error_names_a_damaged_file_without_copy(
    models: ModelStore, choice: ChoiceFile
) -> None:
    choice.choose(3)
    file(models).write_bytes(b'{')
    copy(models).unlink()
    with pytest.raises(StoreError, match=f'{file(models)} is damaged: .*What to do: '):
        choice.current()


def test_a_missing_file_is_made_up_for_by_its_copy(models: ModelStore, choice: ChoiceFile) -> None:
    choice.choose(3)
    file(models).unlink()
    assert choice.current() == Choice(3, 1, 5)


def test_a_full_disk_leaves_the_choice_as_it_was(
    models: ModelStore,
    choice: ChoiceFile,
    file_size_limit: Callable[[int], AbstractContextManager[None]],
) -> None:
    choice.choose(3)
    words = f'write down which model serves in {models.folder}.*free space'
    with file_size_limit(10), pytest.raises(StoreError, match=words):
        choice.choose(4)
    assert choice.current() == Choice(3, 1, 5)
    assert choice.choose(4) == Choice(4, 2, 5)


def test_a_read_only_folder_raises_store_error(
    models: ModelStore,
    choice: ChoiceFile,
    read_only: Callable[[Path], AbstractContextManager[None]],
) -> None:
    choice.choose(3)
    with read_only(models.folder):
        with pytest.raises(StoreError, match=r'write down which model serves.*permission'):
            choice.choose(4)
        assert choice.current() == Choice(3, 1, 5)
        assert choice.not_written_down(4) == Choice(4, 2, 5)
        assert choice.not_written_down(3) == Choice(3, 1, 5)


def test_a_folder_in_its_place_raises_store_error(models: ModelStore, choice: ChoiceFile) -> None:
    file(models).mkdir()
    with pytest.raises(StoreError, match=r'read which model serves in .*a folder lies where'):
        choice.current()


def test_programs_that_choose_at_the_same_time_are_all_counted(models: ModelStore) -> None:
    start = threading.Barrier(2)
    swaps: list[int] = []

    def run(version: int) -> None:
        own = ChoiceFile(ModelStore(models.folder))
        start.wait()
        swaps.extend(own.choose(version + each % 2).swaps for each in range(10))

    threads = [threading.Thread(target=run, args=(version,)) for version in (1, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(swaps) == list(range(1, 21))


def test_new_versions_and_the_chosen_one_are_wanted_newest_first(
    models: ModelStore, choice: ChoiceFile
) -> None:
    assert choice.wanted(None) == (5, 4, 3, 2, 1)
    seen = choice.choose(3)
    assert choice.wanted(seen) == (3,), 'what a rollback left behind is not'
    models.save(b'model', RECORD)
    assert choice.wanted(seen) == (6, 3)


def test_a_version_that_the_chooser_did_not_know_is_new(choice: ChoiceFile) -> None:
    seen = choice.choose(3, known=4)
    assert seen == Choice(3, 1, 4)
    assert choice.wanted(seen) == (5, 3)
    assert choice.not_written_down(2, known=2) == Choice(2, 2, 4), 'what was known stays known'
    assert choice.choose(2, known=2) == Choice(2, 2, 4)
    assert choice.choose_instead_of(choice.current(), 4, known=5) == Choice(4, 3, 5)


def test_a_concurrent_choice_is_kept(models: ModelStore, choice: ChoiceFile) -> None:
    assert choice.choose_instead_of(None, 5) == Choice(5, 1, 5)
    seen = choice.current()
    other = ChoiceFile(models).choose(2)
    assert choice.choose_instead_of(seen, 4) is None
    assert choice.current() == other
    assert choice.choose_instead_of(other, 4) == Choice(4, 3, 5)
