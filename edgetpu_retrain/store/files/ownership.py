# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Ownership: only one node at a time uses a data folder.

The owner locks a file in the folder with flock, and writes its process id into the file.  The
kernel releases the lock when the process ends, so there is nothing to clean up after a crash.  On
a read-only disk, the file is locked without writing the process id.

Commands, the teaching page and the fleet process read and write in the folder without owning it,
even while a node runs.  Only the command that restores a backup needs ownership.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
import errno
import fcntl
import os
from pathlib import Path
import platform

from edgetpu_retrain.errors import FilesChangedError, FolderInUseError
from edgetpu_retrain.store.files.disk_errors import as_store_error
from edgetpu_retrain.store.files.regular_file import exists, open_regular_file

OWNER_FILE = 'owner'

_READ_ONLY_ERRORS = (errno.EROFS, errno.EACCES, errno.EPERM)


class Ownership(AbstractContextManager['Ownership']):
    """
    The ownership of a data folder, until it is released or the process ends.

    Args:
        folder: the data folder, which must exist.

    Raises:
        FolderInUseError: if another process owns the folder; the message contains the process id,
            if known.
        StoreError: if the lock file cannot be opened, locked or written.

    Example::

        with Ownership(data_folder('')):
            serve()
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder).absolute()
        path = self.folder / OWNER_FILE
        with as_store_error('take possession of the data folder with', path):
            self._descriptor, self._writable = _open(path)
            try:
                self._take()
            except BaseException:
                os.close(self._descriptor)
                raise
        _owned.add(self)

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Release the folder for other nodes; a second call does nothing."""
        if self in _owned:
            _owned.discard(self)
            # The file is not deleted: otherwise, one process could lock the deleted file and
            # another process a new file of the same name.
            os.close(self._descriptor)

    def check(self) -> None:
        """
        Check that the file that this process has locked is still in the folder.

        Raises:
            FilesChangedError: if the file or the folder was moved, replaced or deleted; another
                node could then own the folder at this path.
        """
        path = self.folder / OWNER_FILE
        locked = os.fstat(self._descriptor)
        try:
            if os.path.samestat(path.stat(), locked):
                return
            what = 'replaced'
        except OSError:
            what = 'removed'
        raise FilesChangedError(
            f'{path} was {what} while this node used the folder, so nothing is stored or read '
            'there any more. What to do: put the folder with this file back in its place, or '
            'restart the node.'
        )

    def _take(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderInUseError(
                self.folder,
                f'{self.folder} is in use by another node ({self._read_owner()}). What to do: '
                'end that one, or set data_dir to another folder.',
            ) from error
        if not self._writable:
            return
        # Overwrite, then truncate: after truncating first, a write could fail on a full disk.
        owner = f'{os.getpid()} {platform.node()}\n'.encode()
        os.ftruncate(self._descriptor, os.pwrite(self._descriptor, owner, 0))

    def _read_owner(self) -> str:
        """Return a description of the owner for an error message."""
        if not self._writable:
            return 'which could not write its process id down'
        line, _, _ = os.pread(self._descriptor, 1000, 0).partition(b'\n')
        pid, _, host = line.decode(errors='replace').partition(' ')
        if not pid.isdecimal():
            return 'which has only just begun'
        # Containers and other computers may share the folder, but not the process ids.
        return f'process {pid}' if host == platform.node() else f'process {pid} on {host!a}'


def _open(path: Path) -> tuple[int, bool]:
    """Return a descriptor of the file to lock, and whether the file is writable."""
    try:
        return open_regular_file(path, os.O_RDWR | os.O_CREAT), True
    except OSError as error:
        if error.errno not in _READ_ONLY_ERRORS or not exists(path):
            raise
    return open_regular_file(path), False


_owned: set[Ownership] = set()


def _release_in_child() -> None:
    # Close the child's copies of the descriptors, which would keep the locks.
    for ownership in list(_owned):
        ownership.release()


# A forked child that outlives its parent would otherwise continue to own the folder under the
# parent's process id.  multiprocessing can fork such a child; subprocess closes the descriptor.
os.register_at_fork(after_in_child=_release_in_child)
