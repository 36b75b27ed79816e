# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Converts errors of the disk and of SQLite to a StoreError that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import errno
from pathlib import Path
import sqlite3

from edgetpu_retrain.errors import StoreError

SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError, MemoryError)
"""
The exceptions of Python's sqlite3.

It raises UnicodeDecodeError if SQLite's message quotes malformed names in a damaged file, and
MemoryError for SQLITE_NOMEM.
"""

AFTER_DAMAGE = (
    "copy it with 'samples backup FILE', recover the copy or take an earlier one, and put that in "
    "its place with 'samples restore FILE' (docs/command_line.md)"
)
"""Advice for a damaged database; given only for damage, because following it can cost samples."""

_FREE_MEMORY = 'free memory'
_FREE_SPACE = 'free space on its disk'
_LOCAL_DISK = 'set data_dir to a folder on a local disk'
_PERMISSION = 'give this user write permission there, or set data_dir to a folder that has it'

# The keys are parts of SQLite's messages, because Python 3.10 does not provide SQLite's error
# codes.  Most of these messages are from SQLite's function sqlite3ErrStr
# (https://www.sqlite.org/src/file/src/main.c).
_ADVICE_FOR_SQLITE = {
    'file is not a database': f'it was not written by this package or is damaged: {AFTER_DAMAGE}',
    'malformed': f'the file is damaged: {AFTER_DAMAGE}',
    'no such table': f'the file is damaged: {AFTER_DAMAGE}',
    'no such column': f'the file is damaged: {AFTER_DAMAGE}',
    'could not decode': f'the file is damaged: {AFTER_DAMAGE}',
    'disk is full': _FREE_SPACE,
    'readonly database': _PERMISSION,
    'unable to open database file': _PERMISSION,
    'database is locked': 'another program holds it: close that program',
    # SQLite reports an I/O error also if it lacks memory for the index of the write-ahead log.
    'disk i/o error': 'free memory, and check that its disk is healthy, mounted and not full',
}

_ADVICE_FOR_ERRNO = {
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EFBIG: _FREE_SPACE,
    errno.ENOMEM: _FREE_MEMORY,
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EROFS: _PERMISSION,
    errno.ENOENT: 'check that the path is right and its disk mounted',
    errno.ENOTDIR: 'a part of the path is a file: set data_dir to a folder',
    errno.EEXIST: 'a file lies where a folder is needed: move it away or set another data_dir',
    errno.EISDIR: 'a folder lies where a file is needed: move it away',
    errno.ELOOP: 'symbolic links are not followed: put a copy in its place',
    errno.EINVAL: 'move it away',
    errno.ESTALE: 'check that its disk is mounted',
    errno.EIO: 'check that its disk is healthy and mounted',
    errno.EAGAIN: 'another program writes there: wait for it or end it',
    errno.ENOLCK: _LOCAL_DISK,
    errno.EOPNOTSUPP: _LOCAL_DISK,
}


def is_damage(error: BaseException) -> bool:
    """Return whether an error of SQLite means that a file is damaged or not a database."""
    # Exclude the subclass MalformedRowError: it is about a single row, which can be removed.
    return type(error) is sqlite3.DatabaseError and any(
        words in str(error) for words in ('malformed', 'not a database')
    )


def store_error(
    action: str, path: Path, error: OSError | sqlite3.Error | UnicodeDecodeError | MemoryError
) -> StoreError:
    """
    Convert a disk or SQLite error to a StoreError: what failed, where, why and what to do.

    Args:
        action: what failed; completes 'Cannot ...' in the message, such as 'store a sample in'.
        path: the file or folder.
        error: an OSError or one of :data:`SQLITE_ERRORS`.

    Returns:
        The error to raise.
    """
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        advice = _ADVICE_FOR_ERRNO.get(error.errno or 0, 'check the path and its disk')
    else:
        reason = str(error)
        if isinstance(error, UnicodeDecodeError):
            reason = 'malformed names of tables'
        advice = next(
            (text for words, text in _ADVICE_FOR_SQLITE.items() if words in reason.lower()),
            'check the file and its disk',
        )
        if isinstance(error, MemoryError):
            reason, advice = 'there is too little memory', _FREE_MEMORY
    return StoreError(f'Cannot {action} {path}: {reason}. What to do: {advice}.')


@contextmanager
def as_store_error(action: str, path: Path) -> Iterator[None]:
    """
    Use :func:`store_error` to convert disk and SQLite errors that the ``with`` block raises.

    Args:
        action: what the block does; completes 'Cannot ...' in the message.
        path: the file or folder.

    Raises:
        StoreError: if the block raises an OSError or one of :data:`SQLITE_ERRORS`.
    """
    try:
        yield
    except (OSError, *SQLITE_ERRORS) as error:
        raise store_error(action, path, error) from error
