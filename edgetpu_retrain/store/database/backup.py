# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Backs up and restores a sample database, including its write-ahead log."""

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
from edgetpu_retrain.store.files.regular_file import exists


def back_up(path: Path, target: Path) -> str:
    """
    Copy a database to a new file, which needs no -wal or -shm file.

    Args:
        path: the database; other programs may write to it at the same time.
        target: path of the copy, which is on disk when this function returns.

    Returns:
        The damage that SQLite finds in the copy; '' = none.

    Raises:
        RequestError: if there is a file at ``target``.
        StoreError: if the database cannot be read, or the copy cannot be written.
    """
    with as_store_error(f'copy the samples to {target} from', path):
        if exists(target):
            raise RequestError(f'{target} is there already: give another name, or remove it first')
        with complete_or_absent(target) as partial:
            damage = copy_database(path, partial)
        sync_folder(target.parent)
    return damage


def restore(backup: Path, path: Path) -> Path | None:
    """
    Replace a database, damaged or not, with a backup.

    The replaced files are kept under another name.  If restoring fails or the process is killed,
    the old database is still complete, under its own name or under the other name.

    Args:
        backup: a sample database; it is not changed.
        path: the database to replace or to create; the caller ensures that no other program uses
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
            # Delete the log of the replaced database: SQLite would apply it to the restored one.
            for suffix in SUFFIXES[1:]:
                Path(f'{path}{suffix}').unlink(missing_ok=True)
        sync_folder(path.parent)
        return kept if exists(kept) else None


def _keep(path: Path, kept: Path) -> None:
    """Create a hard link to a file; copy the file if the file system has no hard links."""
    try:
        kept.hardlink_to(path)
    except FileNotFoundError:
        raise
    except OSError:
        # Use a temporary name that copies_of() finds: if the process is killed here, the partial
        # copy may contain samples that are erased later.
        with complete_or_absent(kept, Path(f'{kept}{TEMPORARY_SUFFIX}')) as partial:
            shutil.copyfile(path, partial)
