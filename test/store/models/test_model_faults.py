# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Models that are damaged, cannot be written, or were half written by a killed process."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from edgetpu_retrain.errors import FilesChangedError, StoreError
from edgetpu_retrain.store.files.ownership import OWNER_FILE, Ownership
from edgetpu_retrain.store.models import model_version
from edgetpu_retrain.store.models.choice_file import ChoiceFile
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_store import LOCK_FILE, ModelStore
from edgetpu_retrain.store.models.model_version import ModelVersion, write_version
import pytest
from support.model_records import RECORD

# Prints each version after it was saved, until it is killed.
ENDLESS_WRITER = """
import sys
from pathlib import Path
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_store import ModelStore
store = ModelStore(Path(sys.argv[1]))
record = ModelRecord(('a', 'b'), {'a': 1, 'b': 1}, 1.0, 1.0, 1.0, ((1, 0), (0, 1)), 'c' * 64, 0.0)
while True:
    print(store.save(b'model' * 200000, record).version, flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / 'models')


def _without_record(model: Path) -> None:
    model.with_suffix('.json').unlink()


def _without_model(model: Path) -> None:
    model.unlink()


def _shorter(model: Path) -> None:
    os.truncate(model, 4)


def _one_bit_changed(model: Path) -> None:
    model.write_bytes(b'newes4')


def _record_cut_short(model: Path) -> None:
    os.truncate(model.with_suffix('.json'), 100)


def _record_of_a_newer_format(model: Path) -> None:
    _change_record(model, format=2)


def _record_of_another_version(model: Path) -> None:
    _change_record(model, version=1)


def _record_not_a_table(model: Path) -> None:
    model.with_suffix('.json').write_text('[1, 2]')


def _record_a_folder(model: Path) -> None:
    model.with_suffix('.json').unlink()
    model.with_suffix('.json').mkdir()


def _record_nested_too_deep(model: Path) -> None:
    model.with_suffix('.json').write_text('[' * 100_000)


def _change_record(model: Path, **fields: object) -> None:
    path = model.with_suffix('.json')
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


@pytest.mark.parametrize(
    'damage',
    [
        _without_record,
        _without_model,
        _shorter,
        _one_bit_changed,
        _record_cut_short,
        _record_of_a_newer_format,
        _record_of_another_version,
        _record_not_a_table,
        _record_a_folder,
        _record_nested_too_deep,
    ],
)
def test_a_damaged_newest_version_is_passed_over_and_named(
    damage: Callable[[Path], None], store: ModelStore
) -> None:
    good = store.save(b'good', RECORD)
    damage(store.save(b'newest', RECORD).path)
    assert store.latest() == good
    (reason,) = store.unusable().values()
    assert list(store.unusable()) == [2]
    assert str(store.folder) in reason
    assert 'What to do: ' in reason
    with pytest.raises(StoreError, match='What to do: '):
        store.load(2)
    assert store.save(b'next', RECORD).version == 3


def test_a_damaged_version_does_not_count_as_kept(store: ModelStore) -> None:
    saved = [store.save(b'model', RECORD) for _ in range(5)]
    _without_record(saved[0].path)
    _shorter(saved[2].path)
    _one_bit_changed(saved[4].path)
    assert store.prune(1, in_use=()) == (1, 2, 3)
    assert store.latest() == saved[3]
    assert list(store.unusable()) == [5], 'what is newer than all that are kept is kept, too'
    assert store.prune(2, in_use=()) == ()


def test_versions_in_a_read_only_folder_still_load(
    store: ModelStore, read_only: Callable[[Path], AbstractContextManager[None]]
) -> None:
    saved = [store.save(b'model', RECORD) for _ in range(2)]
    with read_only(store.folder):
        with pytest.raises(StoreError, match=f'write a model to {store.folder}.*permission'):
            store.save(b'next', RECORD)
        with pytest.raises(StoreError, match=f'old models from {store.folder}.*permission'):
            store.prune(1, in_use=())
        assert store.latest() == saved[1]
    assert store.versions() == (1, 2)


def test_a_model_changed_after_it_was_found_is_not_handed_out(store: ModelStore) -> None:
    saved = store.save(b'model', RECORD)
    saved.path.write_bytes(b'mode1')
    with pytest.raises(StoreError, match=f'{saved.path} .5 bytes. is not the file'):
        saved.read_model()


LONG_RECORD = dataclasses.replace(RECORD, options={f'option {i}': i for i in range(1000)})


@pytest.mark.parametrize(
    ('model', 'record'), [(b'x' * 100_000, RECORD), (b'x', LONG_RECORD)], ids=['model', 'record']
)
def test_a_full_disk_leaves_the_versions_before_as_they_were(
    model: bytes,
    record: ModelRecord,
    store: ModelStore,
    file_size_limit: Callable[[int], AbstractContextManager[None]],
) -> None:
    good = store.save(b'good', RECORD)
    words = f'write a model to {store.folder}.*free space'
    with file_size_limit(10_000), pytest.raises(StoreError, match=words):
        store.save(model, record)
    assert store.latest() == good
    assert store.unusable() == {}
    assert store.save(b'next', RECORD).version == 3


@pytest.mark.parametrize('acknowledged', [1, 4, 15])
def test_acknowledged_data_survives_a_kill(
    acknowledged: int, store: ModelStore, run_and_kill: Callable[[str, Path, int], list[int]]
) -> None:
    newest_acknowledged = max(run_and_kill(ENDLESS_WRITER, store.folder, acknowledged))
    newest = store.latest()
    assert newest is not None
    assert newest.version in (newest_acknowledged, newest_acknowledged + 1)
    assert set(range(1, newest.version + 1)) == set(store.versions())
    assert store.save(b'next', RECORD).version > newest.version
    assert not list(store.folder.glob('.*.partial'))


def test_leftovers_of_a_killed_process_are_cleared_away(store: ModelStore) -> None:
    leftover = store.folder / '.model_000001.tflite.partial'
    leftover.write_bytes(b'half')
    assert store.latest() is None
    store.save(b'model', RECORD)
    assert not leftover.exists()
    leftover.write_bytes(b'half')
    store.clear_leftovers()
    assert not leftover.exists()


@pytest.mark.parametrize('place', ['/proc/no/such/models', '{tmp}/file', '{tmp}/file/models'])
def test_an_impossible_folder_raises_store_error(place: str, tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    folder = Path(place.format(tmp=tmp_path))
    with pytest.raises(StoreError, match=f'Cannot create the folder for models {folder}: .*What'):
        ModelStore(folder)


def test_a_file_in_place_of_the_folder_raises_store_error(store: ModelStore) -> None:
    store.folder.rmdir()
    store.folder.touch()
    with pytest.raises(StoreError, match=f'list the models in {store.folder}.*What to do: '):
        store.latest()
    with pytest.raises(StoreError, match=f'write a model to {store.folder}.*What to do: '):
        store.save(b'model', RECORD)
    with pytest.raises(StoreError, match=r'half written in .*What to do: '):
        store.clear_leftovers()


def test_a_folder_that_was_removed_is_empty_and_created_again(store: ModelStore) -> None:
    store.folder.rmdir()
    assert store.latest() is None
    assert store.save(b'model', RECORD).version == 1
    assert store.latest() is not None


@pytest.mark.parametrize('what', ['folder', 'lock'])
def test_a_folder_that_is_moved_while_a_model_is_written_acknowledges_nothing(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def write_and_move(*arguments: Any) -> ModelVersion:
        version = write_version(*arguments)
        if what == 'folder':
            store.folder.rename(tmp_path / 'moved')
            store.folder.mkdir()
        else:
            (store.folder / LOCK_FILE).unlink()
        return version

    monkeypatch.setattr(model_version, 'write_version', write_and_move)
    with pytest.raises(FilesChangedError, match=r'removed or replaced while.*What to do: '):
        store.save(b'model', RECORD)
    monkeypatch.undo()
    assert store.save(b'model', RECORD).version == (1 if what == 'folder' else 2)


def test_nothing_is_written_to_a_folder_of_another_owner(tmp_path: Path) -> None:
    with Ownership(tmp_path) as owner:
        store = ModelStore(tmp_path / 'models', check_folder=owner.check)
        store.save(b'model', RECORD)
        (tmp_path / OWNER_FILE).unlink()
        with pytest.raises(FilesChangedError, match='owner was removed'):
            store.save(b'model', RECORD)
        with pytest.raises(FilesChangedError, match='owner was removed'):
            ChoiceFile(store).choose(1)
        assert store.versions() == (1,)
