# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
import errno
from pathlib import Path
import shutil

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.store.database.backup import back_up, restore
from edgetpu_retrain.store.files.ownership import Ownership
from edgetpu_retrain.store.samples.sample_store import SampleStore
import pytest
from support.permissions import without

EXTRACTOR = 'a' * 64

Teach = Callable[..., list[int]]


def counts(path: Path) -> dict[str, int]:
    with SampleStore(path) as store:
        return store.counts(extractor=EXTRACTOR)


def copy_alone(path: Path, copy: Path) -> Path:
    """Copy the file without its -wal, as a person may do."""
    return Path(shutil.copy(path, copy))


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8192:] = bytes(len(content) - 4096 * 2)
    path.write_bytes(content)


def test_a_checkpoint_puts_all_samples_into_the_file(
    samples: SampleStore, path: Path, tmp_path: Path, teach: Teach
) -> None:
    teach(samples, 'mug', 3)
    before = copy_alone(path, tmp_path / 'before.db')
    samples.checkpoint()
    after = copy_alone(path, tmp_path / 'after.db')
    assert (counts(before), counts(after)) == ({}, {'mug': 3})
    samples.close()
    samples.checkpoint()


def test_a_backup_beside_an_open_store_is_one_complete_file(
    samples: SampleStore, path: Path, tmp_path: Path, teach: Teach
) -> None:
    teach(samples, 'mug', 3)
    folder = tmp_path / 'backups'
    folder.mkdir()
    assert back_up(path, folder / 'mugs.db') == ''
    assert [each.name for each in folder.iterdir()] == ['mugs.db']
    with pytest.raises(RequestError, match=r'mugs\.db is there already'):
        back_up(path, folder / 'mugs.db')
    assert counts(folder / 'mugs.db') == {'mug': 3}


@pytest.fixture(params=['ext4', 'fat'])
def file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == 'fat':

        def fail(link: Path, _target: object) -> None:
            raise OSError(errno.EPERM, 'Operation not permitted', str(link))

        # As Linux reports it for FAT and exFAT.
        monkeypatch.setattr(Path, 'hardlink_to', fail)


@pytest.mark.usefixtures('file_system')
def test_restoring_keeps_what_it_replaces(path: Path, tmp_path: Path, teach: Teach) -> None:
    with SampleStore(path) as store:
        teach(store, 'mug', 3)
        back_up(path, tmp_path / 'backup.db')
        teach(store, 'cup', 2)
        # As if the process had been killed: with the newest samples only in the -wal.
        for suffix in ('', '-wal'):
            shutil.copy(f'{path}{suffix}', f'{tmp_path}/killed.db{suffix}')
    for suffix in ('', '-wal'):
        shutil.copy(f'{tmp_path}/killed.db{suffix}', f'{path}{suffix}')
    kept = restore(tmp_path / 'backup.db', path)
    assert kept is not None
    assert counts(path) == {'mug': 3}
    assert counts(kept) == {'mug': 3, 'cup': 2}
    assert not list(tmp_path.glob('*.partial'))


@pytest.mark.usefixtures('file_system')
def test_a_database_that_is_missing_or_damaged_can_be_restored(
    path: Path, tmp_path: Path, teach: Teach
) -> None:
    with SampleStore(path) as store:
        teach(store, 'mug', 3)
        back_up(path, tmp_path / 'backup.db')
    path.write_bytes(b'no database' * 1000)
    kept = restore(tmp_path / 'backup.db', path)
    assert kept is not None
    assert kept.read_bytes().startswith(b'no database')
    path.unlink()
    assert restore(tmp_path / 'backup.db', path) is None
    assert counts(path) == {'mug': 3}


def test_nothing_is_replaced_while_a_node_owns_the_folder_or_by_a_bad_backup(
    path: Path, tmp_path: Path, teach: Teach
) -> None:
    with SampleStore(path) as store:
        teach(store, 'mug', 3)
        back_up(path, tmp_path / 'backup.db')
    with Ownership(tmp_path), pytest.raises(StoreError, match=r'in use by another node'):
        restore(tmp_path / 'backup.db', path)
    (tmp_path / 'empty.db').touch()
    with pytest.raises(StoreError, match=r'has no tables, so nothing was changed'):
        restore(tmp_path / 'empty.db', path)
    damage(tmp_path / 'backup.db')
    with pytest.raises(StoreError, match=r'is damaged .*, so nothing was changed'):
        restore(tmp_path / 'backup.db', path)
    assert counts(path) == {'mug': 3}
    assert not list(tmp_path.glob('*replaced*'))


def test_a_damaged_database_is_copied_and_the_damage_reported(
    path: Path, tmp_path: Path, teach: Teach
) -> None:
    with SampleStore(path) as store:
        teach(store, 'mug', 200)
    damage(path)
    assert back_up(path, tmp_path / 'copy.db')
    assert (tmp_path / 'copy.db').stat().st_size == path.stat().st_size


def test_a_target_of_which_the_disk_says_nothing_is_an_error_with_advice(
    path: Path, tmp_path: Path
) -> None:
    (tmp_path / 'backups').mkdir()
    with (
        without(0o111, [tmp_path / 'backups']),
        pytest.raises(StoreError, match=r'Permission denied. What to do: '),
    ):
        back_up(path, tmp_path / 'backups' / 'mugs.db')
