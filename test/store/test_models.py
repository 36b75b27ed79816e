# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
import dataclasses
import json
import os
from pathlib import Path
import threading

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.model_record import ModelRecord
from edgetpu_retrain.store.models import ModelStore
import pytest

RECORD = ModelRecord(
    labels=('mug', 'hat'),
    sample_counts={'mug': 12, 'hat': 8},
    train_accuracy=1.0,
    validation_accuracy=0.75,
    quantized_validation_accuracy=0.75,
    confusion_matrix=((2, 0), (1, 1)),
    extractor='a' * 64,
    seconds=0.25,
)

# Prints each version once its saving is acknowledged, for ever.
ENDLESS_WRITER = """
import sys
from pathlib import Path
from edgetpu_retrain.store.model_record import ModelRecord
from edgetpu_retrain.store.models import ModelStore
store = ModelStore(Path(sys.argv[1]))
record = ModelRecord(('a', 'b'), {'a': 1, 'b': 1}, 1.0, 1.0, 1.0, ((1, 0), (0, 1)), 'c' * 64, 0.0)
while True:
    print(store.save(b'model' * 200000, record).version, flush=True)
"""


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
    _shorter(saved[2].path)
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


def test_a_damaged_version_does_not_count_as_kept(store: ModelStore) -> None:
    saved = [store.save(b'model', RECORD) for _ in range(5)]
    _without_record(saved[0].path)
    _shorter(saved[2].path)
    _one_bit_changed(saved[4].path)
    assert store.prune(1, in_use=()) == (1, 2, 3)
    assert store.latest() == saved[3]
    assert list(store.unusable()) == [5], 'what is newer than all that are kept is kept, too'
    assert store.prune(2, in_use=()) == ()


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


def test_to_keep_none_is_refused(store: ModelStore) -> None:
    store.save(b'model', RECORD)
    with pytest.raises(ValueError, match='keep is 0; it must be 1 or more'):
        store.prune(0, in_use=())
    assert store.versions() == (1,)


def test_a_read_only_folder_is_a_sentence_and_what_is_there_still_loads(
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


@pytest.mark.parametrize('version', [0, -1, 7])
def test_a_version_that_is_not_there_is_answered_with_those_that_are(
    version: int, store: ModelStore
) -> None:
    store.save(b'one', RECORD)
    store.save(b'two', RECORD)
    with pytest.raises(StoreError, match=f'no model version {version} in .*; there are: 1, 2'):
        store.load(version)


def test_other_files_in_the_folder_do_not_matter(store: ModelStore) -> None:
    for name in ('model_1.tflite', 'model_000009.tflite.bak', 'notes.txt', 'my_model_000008.json'):
        (store.folder / name).touch()
    assert store.save(b'one', RECORD).version == 1
    assert store.versions() == (1,)


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


@pytest.mark.parametrize('acknowledged', [1, 4, 15])
def test_what_was_acknowledged_survives_being_killed(
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
def test_an_impossible_folder_is_a_sentence(place: str, tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    folder = Path(place.format(tmp=tmp_path))
    with pytest.raises(StoreError, match=f'Cannot create the folder for models {folder}: .*What'):
        ModelStore(folder)


def test_leftovers_in_a_folder_that_vanished_are_a_sentence(store: ModelStore) -> None:
    store.folder.rmdir()
    with pytest.raises(StoreError, match=r'half written in .*What to do: '):
        store.clear_leftovers()


def test_a_folder_that_vanished_is_a_sentence(store: ModelStore) -> None:
    store.folder.rmdir()
    with pytest.raises(StoreError, match=f'list the models in {store.folder}.*What to do: '):
        store.latest()
    with pytest.raises(StoreError, match=f'write a model to {store.folder}.*What to do: '):
        store.save(b'model', RECORD)
