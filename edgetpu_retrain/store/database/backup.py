# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Backs up and restores a whole sample database, including its write-ahead log."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
import shutil

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.store.database.migration import copy_database
from edgetpu_retrain.store.database.open_files import replaced_name, SUFFIXES
from edgetpu_retrain.store.database.schema import check_without_writing
from edgetpu_retrain.store.files.disk_errors import as_store_error
from edgetpu_retrain.store.files.durable_file import (
    complete_or_absent,
    sync_folder,
    TEMPORARY_SUFFIX,
)
from edgetpu_retrain.store.files.ownership import Ownership


def back_up(path: Path, target: Path) -> str:
    """
    Copy a database to a new file, which needs no -wal or -shm file.

    Other programs may write at the same time; the copy has the state of one moment.

    Args:
        path: the database.
        target: path of the copy, which is on disk when this function returns.

    Returns:
        The damage that SQLite finds in the copy; '' = none.

    Raises:
        RequestError: if there is a file at ``target``.
        StoreError: if the database cannot be read, or the copy cannot be written.
    """
    if target.exists():
        raise RequestError(f'{target} is there already: give another name, or remove it first')
    with as_store_error(f'copy the samples to {target} from', path):
        with complete_or_absent(target) as partial:
            damage = copy_database(path, partial)
        sync_folder(target.parent)
    return damage


def restore(backup: Path, path: Path) -> Path | None:
    """
    Replace a database, damaged or not, with a backup.

    The replaced files are kept.  If the restoring fails or the process is killed, the
    old database is still complete, at its own path or at that of the kept files.

    Args:
        backup: a sample database; it is not changed.
        path: the database to replace, or to create; the caller ensures that no command is using
            it.

    Returns:
        The path at which the replaced database is kept; None if there was none.

    Raises:
        StoreError: if a node uses the folder, if the backup is damaged, is not a sample database
            or was written by a newer release, or if the disk fails.
    """
    kept = replaced_name(path)
    with Ownership(path.parent), as_store_error(f'restore {backup} to', path):
        with complete_or_absent(path) as partial:
            if damage := copy_database(backup, partial):
                raise StoreError(
                    f'{backup} is damaged ({damage}), so nothing was changed. What to do: restore '
                    'another backup.'
                )
            if not check_without_writing(partial):
                raise StoreError(
                    f'{backup} has no tables, so nothing was changed. What to do: give a file '
                    "that 'samples backup' wrote."
                )
            for suffix in SUFFIXES:
                with suppress(FileNotFoundError):
                    _keep(Path(f'{path}{suffix}'), Path(f'{kept}{suffix}'))
            sync_folder(path.parent)
            # SQLite must not apply the replaced database's log to the restored one.
            for suffix in SUFFIXES[1:]:
                Path(f'{path}{suffix}').unlink(missing_ok=True)
        sync_folder(path.parent)
    return kept if kept.exists() else None


def _keep(path: Path, kept: Path) -> None:
    """Give a file a second name; copy it if the file system has no hard links, such as FAT."""
    try:
        kept.hardlink_to(path)
    except FileNotFoundError:
        raise
    except OSError:
        # Use a name that copies_of() finds, in case the process is killed.
        with complete_or_absent(kept, Path(f'{kept}{TEMPORARY_SUFFIX}')) as partial:
            shutil.copyfile(path, partial)
