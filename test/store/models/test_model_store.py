# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Versions of models: saved, found, loaded and deleted."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
import threading

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.models import model_store
from edgetpu_retrain.store.models.choice_file import ChoiceFile
from edgetpu_retrain.store.models.model_store import ModelStore, ModelVersion
import pytest
from support.model_records import RECORD


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / 'models')


def test_a_new_folder_has_no_version(store: ModelStore) -> None:
    assert store.versions() == ()
    assert store.latest() is None
    assert store.newest_version() == 0
    assert store.previous(1) is None
    assert store.unusable() == {}
    assert store.prune(1, in_use=()) == ()


def test_a_saved_model_is_there_for_the_next_process(store: ModelStore) -> None:
    saved = store.save(b'one', RECORD)
    assert saved.version == 1
    assert saved.path == store.folder / 'model_000001.tflite'
    again = ModelStore(store.folder)
    assert again.latest() == saved == again.load(1)
    assert saved.path.read_bytes() == saved.read_model() == b'one'
    assert saved.record == RECORD


def test_an_unchanged_model_is_hashed_once(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[int] = []
    real = ModelVersion.read_model

    def read_model(version: ModelVersion) -> bytes:
        hashed.append(version.version)
        return real(version)

    monkeypatch.setattr(ModelVersion, 'read_model', read_model)
    monkeypatch.setattr(model_store, '_CLOCK_RESOLUTION_NS', -(10**9))
    for content in (b'one', b'two', b'three'):
        store.save(content, RECORD)
    for _ in range(2):
        assert store.prune(3, in_use=()) == ()
        assert ChoiceFile(store).choose(2).version == 2
    assert hashed == [3, 2, 1]
    path = store.load(2).path
    status = path.stat()
    path.write_bytes(b'TWO')
    while path.stat().st_ctime_ns == status.st_ctime_ns:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(StoreError, match='is not the file that was written'):
        store.load(2)


def test_a_model_that_has_just_changed_is_hashed_again(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = store.save(b'one', RECORD)
    files = store.files_of(1)
    # As on a file system whose clock is too coarse to show the change.
    monkeypatch.setattr(store, 'files_of', lambda _: files)
    store.load(1)
    saved.path.write_bytes(b'ONE')
    with pytest.raises(StoreError, match='is not the file that was written'):
        store.load(1)


def test_versions_count_up_and_each_can_be_loaded(store: ModelStore) -> None:
    for content in (b'one', b'two', b'three'):
        newest = store.latest()
        parent = newest.version if newest else 0
        store.save(content, dataclasses.replace(RECORD, parent_version=parent))
    assert store.versions() == (1, 2, 3)
    assert store.load(2).read_model() == b'two'
    assert [store.load(version).record.parent_version for version in (1, 2, 3)] == [0, 1, 2]


def test_the_record_is_json_that_people_can_read(store: ModelStore) -> None:
    store.save(
        b'one',
        dataclasses.replace(RECORD, labels=('müg', 'hat'), sample_counts={'müg': 1, 'hat': 2}),
    )
    text = (store.folder / 'model_000001.json').read_text()
    assert '"müg": 1' in text
    content = json.loads(text)
    assert (content['format'], content['version'], content['size']) == (1, 1, 3)
    assert len(content['sha256']) == 64


def test_no_number_is_used_twice_even_when_all_files_were_deleted(store: ModelStore) -> None:
    for _ in range(3):
        store.save(b'model', RECORD)
    for path in store.folder.glob('model_*'):
        path.unlink()
    assert ModelStore(store.folder).save(b'model', RECORD).version == 4


def test_no_number_is_used_twice_when_the_counter_was_deleted(store: ModelStore) -> None:
    store.save(b'model', RECORD)
    store.save(b'model', RECORD)
    (store.folder / 'highest_version').unlink()
    (store.folder / 'model_000002.json').unlink()
    assert store.save(b'model', RECORD).version == 3


def test_a_counter_that_is_no_number_is_not_guessed(store: ModelStore) -> None:
    store.save(b'model', RECORD)
    (store.folder / 'highest_version').write_bytes(b'\xff\x00')
    with pytest.raises(StoreError, match=r'highest_version does not hold a number.*What to do: '):
        store.save(b'model', RECORD)


def test_the_record_is_written_last_and_each_file_flushed_before_its_rename(
    store: ModelStore, disk_calls: list[tuple[str, str]]
) -> None:
    disk_calls.clear()
    store.save(b'model', RECORD)
    expected = []
    for name in ('highest_version', 'model_000001.tflite', 'model_000001.json'):
        expected += [('flush', f'.{name}.partial'), ('rename', name), ('flush', 'models')]
    assert disk_calls == expected


def test_the_newest_version_is_noticed_when_another_program_has_finished_it(
    store: ModelStore,
) -> None:
    other = ModelStore(store.folder)
    assert store.newest_version() == 0
    other.save(b'one', RECORD)
    assert store.newest_version() == 1
    (store.folder / 'model_000002.tflite').write_bytes(b'not finished')
    assert store.newest_version() == 1


def test_the_previous_version_is_the_newest_undamaged_one_before(store: ModelStore) -> None:
    saved = [store.save(b'model', RECORD) for _ in range(4)]
    assert store.previous(4) == saved[2]
    os.truncate(saved[2].path, 4)
    assert store.previous(4) == store.previous(3) == saved[1]
    assert store.previous(1) is None
    assert store.previous(99) == saved[3]


@pytest.mark.parametrize(
    ('keep', 'serving', 'deleted'),
    [
        (9, 0, ()),
        (5, 0, ()),
        (2, 0, (1, 2, 3)),
        (2, 5, (1, 2, 3)),
        (2, 2, (1, 3)),
        (1, 4, (1, 2, 3)),
        (1, 99, (1, 2, 3, 4)),
    ],
)
def test_old_versions_are_deleted_but_never_the_serving_one(
    keep: int, serving: int, deleted: tuple[int, ...], store: ModelStore
) -> None:
    for _ in range(5):
        store.save(b'model', RECORD)
    assert store.prune(keep, in_use={serving}) == deleted
    left = tuple(version for version in range(1, 6) if version not in deleted)
    assert store.versions() == left
    assert sorted(path.name for path in store.folder.glob('model_*')) == sorted(
        f'model_{version:06d}.{suffix}' for version in left for suffix in ('json', 'tflite')
    )
    assert store.save(b'next', RECORD).version == 6


def test_a_record_is_deleted_before_its_model_and_the_folder_flushed_last(
    store: ModelStore, disk_calls: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        store.save(b'model', RECORD)
    real_unlink = Path.unlink

    def unlink(self: Path, missing_ok: bool = False) -> None:
        disk_calls.append(('delete', self.name))
        real_unlink(self, missing_ok)

    disk_calls.clear()
    monkeypatch.setattr(Path, 'unlink', unlink)
    store.prune(1, in_use=())
    assert disk_calls == [
        ('delete', 'model_000001.json'),
        ('delete', 'model_000001.tflite'),
        ('flush', 'models'),
    ]


def test_keeping_no_version_is_rejected(store: ModelStore) -> None:
    store.save(b'model', RECORD)
    with pytest.raises(ValueError, match='keep is 0; it must be 1 or more'):
        store.prune(0, in_use=())
    assert store.versions() == (1,)


@pytest.mark.parametrize('version', [0, -1, 7])
def test_the_error_for_a_missing_version_lists_the_others(version: int, store: ModelStore) -> None:
    store.save(b'one', RECORD)
    store.save(b'two', RECORD)
    with pytest.raises(StoreError, match=f'no model version {version} in .*; there are: 1, 2'):
        store.load(version)


def test_other_files_in_the_folder_do_not_matter(store: ModelStore) -> None:
    for name in ('model_1.tflite', 'model_000009.tflite.bak', 'notes.txt', 'my_model_000008.json'):
        (store.folder / name).touch()
    assert store.save(b'one', RECORD).version == 1
    assert store.versions() == (1,)


def test_threads_and_stores_never_share_a_version(store: ModelStore) -> None:
    start = threading.Barrier(4)
    versions: list[int] = []

    def run() -> None:
        own = ModelStore(store.folder)
        start.wait()
        versions.extend(own.save(b'model' * 1000, RECORD).version for _ in range(5))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions) == list(range(1, 21))
    assert store.unusable() == {}
