# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
OpenFiles: detects that the files of an open database were moved, replaced or overwritten.

SQLite does not detect such changes: it would write to a deleted file, or apply its write-ahead log
to the file of another database (https://www.sqlite.org/howtocorrupt.html).

If a database is moved or replaced, its path no longer leads to the inode that was opened.  If it
is overwritten in place, its size or modification time changes.  A checkpoint by SQLite also
changes size and time, but first it writes to the index of the log, the -shm file
(https://www.sqlite.org/walformat.html).  Database and index are read through the descriptors that
SQLite has opened: closing any other descriptor of a file would release SQLite's locks on the file
(man 2 fcntl).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
import errno
import fcntl
import os
from pathlib import Path
import signal
import sqlite3
import struct
from typing import NamedTuple

from edgetpu_retrain.store.database.frame_checksums import is_whole, LogState

_LOG, _INDEX = '-wal', '-shm'
SUFFIXES = ('', _LOG, _INDEX)
"""The files of a database: the file itself, its write-ahead log, and the index of the log."""

_INDEX_BYTES = 136
# The bytes that SQLite locks in the database (https://www.sqlite.org/src/file/src/os_unix.c).
_SHARED_FIRST, _SHARED_SIZE = 0x40000002, 510
_OPEN_FILES = Path('/dev/fd')

Identity = tuple[int, int]


class _Index(NamedTuple):
    """The fields that this module reads from the index of the log."""

    log: LogState
    copied: int
    """Number of frames that were copied to the database."""
    copying: int
    """Number of frames that were copied, or that a running checkpoint is copying."""


class _Database(NamedTuple):
    """The properties of a database that change if it is overwritten."""

    size: int
    modified_ns: int
    header: bytes
    """The first 100 bytes, which contain the numbers of changes and of pages."""


class OpenFiles:
    """
    The files of a database that this process has just opened.

    Args:
        path: the database.

    Raises:
        OSError: if one of the files at the path is not the one that was opened.
    """

    def __init__(self, path: Path) -> None:
        self._paths = [Path(f'{path}{suffix}') for suffix in SUFFIXES]
        self._identities = [_identity(each) for each in self._paths]
        self._descriptors = {each: -1 for each in self._identities if each}
        for identity, name in zip(self._identities, self._paths, strict=True):
            if identity is None or self._descriptor_of(identity) < 0:
                raise OSError(errno.ESTALE, 'it was replaced while it was opened', str(name))
        self._index_bytes = 0
        self.log_frames = 0
        """Number of frames in the write-ahead log at the last check."""
        self.note()

    def note(self) -> None:
        """Record the state of the files for :meth:`change`; call this after each checkpoint."""
        self._noted_index = self._read_index()
        self._noted = self._read_database()

    @contextmanager
    def reserved(self) -> Iterator[bool]:
        """
        Make other programs wait if they open the database during the ``with`` block.

        A change by another program during a checkpoint could not be distinguished from the
        checkpoint.

        Yields:
            Whether other programs wait; false, for example, if another program or another
            connection of this process already has the database open.
        """
        database = self._descriptor_of(self._identities[0])
        is_reserved = False
        with suppress(OSError):
            # When another program opens the file, the kernel sends a signal to this process.
            # SIGURG is ignored; SIGIO, the default, would end the process.
            fcntl.fcntl(database, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(database, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            is_reserved = True
        try:
            yield is_reserved
        finally:
            with suppress(OSError):
                fcntl.fcntl(database, fcntl.F_SETLEASE, fcntl.F_UNLCK)

    def change(self, *, committed: bool = False) -> str:
        """
        Return how the files were changed other than by SQLite since the last call or :meth:`note`.

        Args:
            committed: whether this process has committed a transaction since then, but made no
                checkpoint.

        Returns:
            The end of a sentence that begins with the path, such as 'was removed'; '' = no such
            change.
        """
        for path, suffix, identity in zip(self._paths, SUFFIXES, self._identities, strict=True):
            if _identity(path) != identity:
                what = 'replaced' if path.exists() else 'removed'
                return f'lost its {suffix} file' if suffix else f'was {what}'
        index = self._read_index()
        database = self._read_database()
        if index is None or not self._log_is_whole(index):
            return f'has a changed {_INDEX if index is None else _LOG} file'
        if database != self._noted and not self._was_checkpointed(committed=committed):
            return 'was overwritten'
        self._noted_index, self._noted = index, database
        self.log_frames = index.log.frames
        return ''

    def release(self, connection: sqlite3.Connection, *, is_damaged: bool) -> None:
        """
        Close a connection after the files were changed, without damaging the present files.

        Samples that are only in the log are copied to the database, even if the database was
        moved, unless the log or the database was overwritten.  A log that does not belong to the
        present database is renamed with :func:`set_aside`.

        Args:
            connection: the connection that has opened the files.
            is_damaged: whether the database is damaged, so that it must not be written to.

        Raises:
            OSError: if the disk fails.
        """
        with suppress(sqlite3.Error):
            connection.rollback()
        log_is_whole = self._log_is_whole(self._read_index())
        is_moved = _identity(self._paths[0]) != self._identities[0]
        now, noted = self._read_database(), self._noted
        is_restored = now.header != noted.header and not self._was_checkpointed()
        is_cut = now.size < noted.size
        if log_is_whole and not (is_restored or is_cut or is_damaged):
            with suppress(sqlite3.Error, MemoryError):
                connection.execute('PRAGMA wal_checkpoint(TRUNCATE)')
        self.prevent_checkpoint()
        connection.close()
        copied = self._noted_index is not None and (
            self._noted_index.copied == self._noted_index.log.frames
        )
        if is_moved or is_restored or (copied and not log_is_whole):
            for path, identity in zip(self._paths[1:], self._identities[1:], strict=True):
                if _identity(path) == identity:
                    set_aside(path)

    def prevent_checkpoint(self) -> None:
        """
        Lock the database, so that closing the connection neither writes nor deletes a file.

        Otherwise, closing the last connection makes a checkpoint and deletes the file at the path
        of the log.  The lock is released when SQLite closes the descriptor of the database.
        """
        lock = struct.pack('hhqqi4x', fcntl.F_RDLCK, os.SEEK_SET, _SHARED_FIRST, _SHARED_SIZE, 0)
        database = self._descriptor_of(self._identities[0])
        with suppress(OSError):
            fcntl.fcntl(database, fcntl.F_OFD_SETLK, lock)

    def _was_checkpointed(self, *, committed: bool = False) -> bool:
        """Return whether a checkpoint may have changed the database since its recorded state."""
        before, now = self._noted_index, self._read_index()
        if before is None or now is None:
            return False
        if before.copied != before.copying:
            # A checkpoint was already running.
            return True
        if now.log.salt == before.log.salt:
            return now.copying != before.copying
        if not committed or now.copying:
            return True
        # The log was restarted: by the commit of this process, or by another process after a
        # checkpoint.  Assume the former if no other process has the database open.
        with self.reserved() as is_alone:
            return not is_alone

    def _log_is_whole(self, index: _Index | None) -> bool:
        """Return whether the log, if it is still at its path, contains all committed frames."""
        log = self._paths[1]
        for _ in range(3):
            if index is None:
                return False
            if _identity(log) != self._identities[1]:
                # A log that was removed from its path cannot have been overwritten there.
                return True
            known = self._noted_index and self._noted_index.log
            with suppress(OSError):
                if is_whole(log, index.log, known):
                    return True
            before, index = index, self._read_index()
            if index == before:
                return False
            # Another process has just written to the log.
        return True

    def _descriptor_of(self, identity: Identity | None) -> int:
        """Return the descriptor with which SQLite has a file open; -1 if it has none."""
        assert identity is not None
        # The cached descriptor may be closed, or refer to another file by now.
        if not _is_open(self._descriptors[identity], identity):
            found = (int(each.name) for each in _OPEN_FILES.iterdir())
            self._descriptors[identity] = next(
                (each for each in found if _is_open(each, identity)), -1
            )
        return self._descriptors[identity]

    def _read_database(self) -> _Database:
        database = self._descriptor_of(self._identities[0])
        status = os.fstat(database)
        return _Database(status.st_size, status.st_mtime_ns, os.pread(database, 100, 0))

    def _read_index(self) -> _Index | None:
        """Read the index of the log; return None if the file was truncated."""
        index = self._descriptor_of(self._identities[2])
        size = os.fstat(index).st_size
        if size < max(self._index_bytes, _INDEX_BYTES):
            return None
        self._index_bytes = size
        for _ in range(100):
            data = os.pread(index, _INDEX_BYTES, 0)
            if len(data) < _INDEX_BYTES:
                return None
            # The header is stored twice; the copies differ while SQLite writes.
            if data[:48] == data[48:96]:
                break
        page, frames = struct.unpack_from('=HI', data, 14)
        checksum = struct.pack('>2I', *struct.unpack_from('=2I', data, 24))
        copied, copying = (struct.unpack_from('=I', data, offset)[0] for offset in (96, 128))
        # A page size of 65536 is stored as 1.
        page_size = (page & 0xFE00) + ((page & 1) << 16)
        return _Index(LogState(page_size, frames, checksum, data[32:40]), copied, copying)


def set_aside(path: Path) -> Path | None:
    """
    Keep a file of a database under another name; delete the file if it is empty or an index.

    Args:
        path: the path, which ends with one of :data:`SUFFIXES`.

    Returns:
        The new path; None if the file was deleted.

    Raises:
        OSError: if the disk fails.
    """
    if path.name.endswith(_INDEX) or not path.stat().st_size:
        path.unlink()
        return None
    return path.rename(replaced_name(path))


def replaced_name(path: Path) -> Path:
    """Return a path in the same folder, with the time in its name, for a replaced file."""
    now = datetime.now(timezone.utc)
    return path.with_name(f'{path.stem}.replaced-{now:%Y%m%d-%H%M%S-%f}{path.suffix}')


def _identity(path: Path) -> Identity | None:
    """Return device and inode of a file; None if there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_open(descriptor: int, identity: Identity) -> bool:
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return (status.st_dev, status.st_ino) == identity
