# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Changes the files of an open store, one at a time; see also test_changed_files.py."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
import os
from pathlib import Path
import shutil
import sqlite3
import subprocess
from typing import Any

from edgetpu_retrain.errors import FilesChangedError, StoreError
from edgetpu_retrain.store.database import connection as connection_module
from edgetpu_retrain.store.database.open_files import OpenFiles, SUFFIXES
from edgetpu_retrain.store.database.schema import open_database
from edgetpu_retrain.store.files.ownership import Ownership
from edgetpu_retrain.store.samples.sample_store import SampleStore
import pytest
from support.damaged_database import mix_states

EXTRACTOR = 'a' * 64

Teach = Callable[..., list[int]]
Start = Callable[..., subprocess.Popen[str]]

# Another program that writes the database, and makes checkpoints.
WRITER = """
import sys
from pathlib import Path
import numpy as np
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
with SampleStore(Path(sys.argv[1])) as store:
    for _ in range(int(sys.argv[2])):
        store.add([Sample('dog', {'b' * 64: np.zeros(1280, np.float32)})], {'b' * 64: None})
    if len(sys.argv) > 3:
        store.checkpoint()
"""


def files_of(path: Path) -> list[Path]:
    return [Path(f'{path}{suffix}') for suffix in SUFFIXES]


def count(path: Path) -> int:
    """Return the number of samples in a file, as another program finds it."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute('PRAGMA integrity_check').fetchall() == [('ok',)]
        (number,) = connection.execute('SELECT COUNT(*) FROM samples').fetchone()
    return int(number)


def after_a_kill(path: Path) -> int:
    """Return the number of samples that a process finds after a kill at this moment."""
    copy = path.with_name('after_a_kill.db')
    for suffix in SUFFIXES[:2]:
        if Path(f'{path}{suffix}').exists():
            shutil.copyfile(f'{path}{suffix}', f'{copy}{suffix}')
    try:
        return count(copy)
    finally:
        for file in files_of(copy):
            file.unlink(missing_ok=True)


def copy_of(path: Path) -> Path:
    """Return a backup."""
    copy = path.with_name('backup.db')
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def check_told_once(store: SampleStore, teach: Teach, words: str) -> None:
    """Make two requests: the first is refused with these words, the second acknowledged."""
    with pytest.raises(FilesChangedError, match=f'{store.path} {words} while.*repeat it'):
        teach(store, 'cat')
    teach(store, 'cat')


def test_a_deleted_database_acknowledges_nothing(
    path: Path, samples: SampleStore, teach: Teach
) -> None:
    teach(samples, 'cat', 10)
    for file in files_of(path):
        file.unlink()
    check_told_once(samples, teach, 'was removed')
    assert after_a_kill(path) == 1


def test_a_moved_database_has_all_samples_and_acknowledges_no_more(
    path: Path, samples: SampleStore, teach: Teach, tmp_path: Path
) -> None:
    teach(samples, 'cat', 10)
    moved = tmp_path / 'moved.db'
    path.rename(moved)
    check_told_once(samples, teach, 'was removed')
    assert count(moved) == 10, 'without the -wal that stayed behind'
    assert after_a_kill(path) == 1


@pytest.mark.parametrize('with_log', [True, False])
@pytest.mark.parametrize('in_place', [True, False])
def test_a_restored_backup_is_what_is_used(
    path: Path, samples: SampleStore, teach: Teach, with_log: bool, in_place: bool
) -> None:
    teach(samples, 'cat', 3)
    backup = copy_of(path)
    teach(samples, 'cat', 40)
    samples.checkpoint()
    teach(samples, 'cat', 4)
    if not with_log:
        for file in files_of(path)[1:]:
            file.unlink()
    if in_place:
        shutil.copyfile(backup, path)
    else:
        backup.replace(path)
    words = 'was overwritten' if with_log else 'lost its -wal file'
    check_told_once(samples, teach, words if in_place else 'was replaced')
    assert samples.counts(extractor=EXTRACTOR) == {'cat': 4}
    assert after_a_kill(path) == 4


def test_a_backup_copied_over_a_new_database_is_what_is_used(
    path: Path, samples: SampleStore, teach: Teach
) -> None:
    teach(samples, 'cat', 3)
    backup = copy_of(path)
    for file in files_of(path):
        file.unlink()
    with pytest.raises(FilesChangedError, match='was removed'):
        samples.changes_by_others()
    assert path.exists(), 'it was created again'
    shutil.copyfile(backup, path)
    check_told_once(samples, teach, 'was overwritten')
    assert after_a_kill(path) == 4


def test_a_backup_that_is_copied_while_the_database_is_opened_is_what_is_used(
    path: Path, samples: SampleStore, teach: Teach, monkeypatch: pytest.MonkeyPatch
) -> None:
    teach(samples, 'cat', 3)
    backup = copy_of(path)
    teach(samples, 'cat', 40, image=b'\xff\xd8\xff' + bytes(20_000))
    samples.checkpoint()
    real = open_database

    def open_and_overwrite(*arguments: Any) -> sqlite3.Connection:
        opened = real(*arguments)
        shutil.copyfile(backup, path)
        return opened

    # After this, the database is opened again.
    Path(f'{path}-wal').unlink()
    with monkeypatch.context() as patch:
        patch.setattr(connection_module, 'open_database', open_and_overwrite)
        with pytest.raises(FilesChangedError, match='lost its -wal file'):
            teach(samples, 'cat')
    teach(samples, 'cat')
    assert after_a_kill(path) == 4


@pytest.mark.parametrize('suffix', SUFFIXES[1:])
def test_a_deleted_log_or_index_loses_nothing(
    path: Path, samples: SampleStore, teach: Teach, suffix: str
) -> None:
    teach(samples, 'cat', 10)
    Path(f'{path}{suffix}').unlink()
    check_told_once(samples, teach, f'lost its {suffix} file')
    assert after_a_kill(path) == 11


def test_a_log_cut_short_acknowledges_nothing_behind_its_end(
    path: Path, samples: SampleStore, teach: Teach
) -> None:
    teach(samples, 'cat', 10)
    os.truncate(f'{path}-wal', 10_000)
    check_told_once(samples, teach, 'has a changed -wal file')
    assert after_a_kill(path) == sum(samples.counts(extractor=EXTRACTOR).values())


def test_an_index_cut_short_loses_nothing(path: Path, samples: SampleStore, teach: Teach) -> None:
    teach(samples, 'cat', 10)
    os.truncate(f'{path}-shm', 0)
    check_told_once(samples, teach, 'has a changed -shm file')
    assert after_a_kill(path) == 11


def test_a_database_with_pages_of_two_states_is_not_written_to(
    path: Path, samples: SampleStore, teach: Teach
) -> None:
    teach(samples, 'cat')
    samples.checkpoint()
    mixed = path.with_name('mixed.db')
    shutil.copyfile(path, mixed)
    mix_states(mixed, 'images', "99, x'00'")
    mixed.replace(path)
    words = 'is damaged .images has rows that are later than the last of samples.'
    with pytest.raises(FilesChangedError, match=words):
        teach(samples, 'cat')
    with pytest.raises(StoreError, match=f'{words}.*nothing more is written to it'):
        teach(samples, 'cat')


def test_a_database_cut_short_is_not_written_to_any_more(
    path: Path, samples: SampleStore, teach: Teach
) -> None:
    teach(samples, 'cat', 50)
    samples.checkpoint()
    teach(samples, 'cat')
    os.truncate(path, 8192)
    with pytest.raises(FilesChangedError, match=f'{path} was overwritten while.*is damaged'):
        teach(samples, 'cat')
    before = path.read_bytes(), Path(f'{path}-wal').read_bytes()
    with pytest.raises(StoreError, match=r'is damaged .*nothing more is written to it'):
        teach(samples, 'cat')
    assert (path.read_bytes(), Path(f'{path}-wal').read_bytes()) == before
    path.rename(f'{path}.damaged')
    Path(f'{path}-wal').unlink()
    teach(samples, 'cat')
    assert after_a_kill(path) == 1


def test_a_change_during_a_request_is_told_as_not_known(
    path: Path, samples: SampleStore, tmp_path: Path
) -> None:
    def write_and_move() -> None:
        with samples._database.transaction('write to', writing=True) as connection:
            connection.execute("INSERT INTO samples VALUES (1, 'cat', '', 0, 1, 0, '')")
            path.rename(tmp_path / 'moved.db')

    words = r'was removed while.*not known: list the samples'
    with pytest.raises(FilesChangedError, match=words):
        write_and_move()
    assert count(tmp_path / 'moved.db') == 1


def test_closing_a_replaced_database_leaves_the_new_one_and_its_log(
    path: Path, samples: SampleStore, teach: Teach, tmp_path: Path
) -> None:
    teach(samples, 'cat', 10)
    for file in files_of(path):
        file.rename(tmp_path / f'moved_{file.name}')
    with SampleStore(path) as other:
        teach(other, 'dog', 3)
        log = Path(f'{path}-wal').read_bytes()
        samples.close()
        assert Path(f'{path}-wal').read_bytes() == log
        assert after_a_kill(path) == 3


def test_closing_leaves_a_log_that_another_process_has_made(
    path: Path, samples: SampleStore, teach: Teach, start_python: Start
) -> None:
    """The last connection that closes a database deletes what is at the path of its log."""
    teach(samples, 'cat', 10)
    samples.checkpoint()
    for file in files_of(path)[1:]:
        file.unlink()
    with start_python('-c', WRITER, path, '3') as writer:
        assert writer.wait() == 0
    assert after_a_kill(path) == 13
    samples.close()
    assert after_a_kill(path) == 13


def test_checkpoints_of_other_processes_are_no_change(
    path: Path, samples: SampleStore, teach: Teach, start_python: Start
) -> None:
    with start_python('-c', WRITER, path, '600', 'checkpoint') as writer:
        while writer.poll() is None:
            teach(samples, 'cat')
    teach(samples, 'cat')
    samples.checkpoint()
    teach(samples, 'cat')


def test_a_checkpoint_by_another_program_right_after_a_commit_is_no_change(
    path: Path, samples: SampleStore, teach: Teach, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = OpenFiles.change
    assert samples._database._opened is not None
    own = samples._database._opened[1]

    def late(files: OpenFiles, *, committed: bool = False) -> str:
        if committed and files is own:
            teach(other, 'dog')
            other.checkpoint()
            teach(other, 'dog')
        return real(files, committed=committed)

    with SampleStore(path) as other:
        monkeypatch.setattr(OpenFiles, 'change', late)
        teach(samples, 'cat')
        monkeypatch.undo()
    assert after_a_kill(path) == 3


def test_an_erasure_by_another_process_is_no_change(
    path: Path, samples: SampleStore, teach: Teach
) -> None:
    teach(samples, 'cat', 10)
    with SampleStore(path) as other:
        other.erase('cat', extractor=EXTRACTOR)
    assert not Path(f'{path}-wal').stat().st_size
    teach(samples, 'cat')
    assert after_a_kill(path) == 1


def test_nothing_is_acknowledged_when_the_owner_file_is_gone(tmp_path: Path, teach: Teach) -> None:
    folder = tmp_path / 'data'
    folder.mkdir()
    path = folder / 'samples.db'
    with Ownership(folder) as owner, SampleStore(path, check_folder=owner.check) as store:
        teach(store, 'cat')
        folder.rename(tmp_path / 'moved')
        with pytest.raises(FilesChangedError, match=r'owner was removed.*What to do: put'):
            teach(store, 'cat')
        assert not folder.exists(), 'the folder of nobody is not created again'
        folder.mkdir()
        with Ownership(folder), pytest.raises(FilesChangedError, match='owner was replaced'):
            teach(store, 'cat')
        shutil.rmtree(folder)
        (tmp_path / 'moved').rename(folder)
        teach(store, 'cat')
    assert count(path) == 2


def test_files_that_this_process_has_not_opened_are_rejected(path: Path, teach: Teach) -> None:
    with SampleStore(path) as store:
        teach(store, 'cat')
        copy = path.with_name('copy.db')
        for suffix in SUFFIXES:
            shutil.copyfile(f'{path}{suffix}', f'{copy}{suffix}')
        with pytest.raises(OSError, match='replaced while it was opened'):
            OpenFiles(copy)


def test_a_log_whose_database_was_moved_is_kept_at_the_next_start(
    path: Path, samples: SampleStore, teach: Teach, tmp_path: Path
) -> None:
    teach(samples, 'cat', 10)
    # As after a kill right after the database was moved.
    killed = tmp_path / 'killed'
    killed.mkdir()
    shutil.copyfile(path, killed / 'moved.db')
    shutil.copyfile(f'{path}-wal', killed / 'samples.db-wal')
    with pytest.raises(StoreError, match='write-ahead log was: it was kept as'):
        SampleStore(killed / 'samples.db')
    with SampleStore(killed / 'samples.db') as store:
        teach(store, 'dog')
    (kept,) = killed.glob('samples.replaced-*')
    kept.rename(killed / 'moved.db-wal')
    assert count(killed / 'moved.db') == 10


@pytest.mark.parametrize('linked', [False, True])
def test_a_pipe_in_place_of_an_open_database_is_rejected_at_once(
    path: Path, samples: SampleStore, teach: Teach, tmp_path: Path, linked: bool
) -> None:
    teach(samples, 'cat', 3)
    for file in files_of(path):
        file.unlink()
    pipe = tmp_path / 'pipe' if linked else path
    os.mkfifo(pipe)
    if linked:
        path.symlink_to(pipe)
    with pytest.raises(FilesChangedError, match='symbolic link' if linked else 'no regular file'):
        teach(samples, 'cat')
    path.unlink()
    teach(samples, 'cat')
    assert after_a_kill(path) == 1


@pytest.mark.parametrize('restarted', [False, True])
def test_a_hole_in_the_middle_of_new_frames_is_detected(
    path: Path, samples: SampleStore, teach: Teach, restarted: bool
) -> None:
    """Cut off while a commit writes: the frames behind the cut come after a hole."""
    teach(samples, 'cat', 3)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        if restarted:
            assert other.execute('PRAGMA wal_checkpoint(RESTART)').fetchone()[0] == 0
        files = OpenFiles(path)
        other.execute('CREATE TABLE more (content)')
        other.execute('INSERT INTO more VALUES (zeroblob(50000))')
        assert files.change(committed=True) == ''
        other.execute('INSERT INTO more VALUES (randomblob(50000))')
        log = Path(f'{path}-wal')
        with log.open('r+b') as content:
            content.seek(files.log_frames * 4120 + 32 + 5 * 4120 + 2000)
            content.write(bytes(2000))
        assert files.change(committed=True) == 'has a changed -wal file'
        samples._database._opened = None


def test_a_log_cut_within_its_last_frame_during_a_request_acknowledges_nothing(
    path: Path, samples: SampleStore, teach: Teach
) -> None:
    """The next frames are written behind the cut, so that the last one keeps its header."""
    teach(samples, 'cat', 10)
    log = Path(f'{path}-wal')

    def cut_and_write() -> None:
        with samples._database.transaction('write to', writing=True) as connection:
            connection.execute("INSERT INTO samples VALUES (99, 'cat', '', 0, 1, 0, '')")
            os.truncate(log, log.stat().st_size - 2000)

    with pytest.raises(FilesChangedError, match='has a changed -wal file while it was in use'):
        cut_and_write()
    assert after_a_kill(path) == sum(samples.counts(extractor=EXTRACTOR).values())
