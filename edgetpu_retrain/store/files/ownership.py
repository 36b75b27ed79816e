# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Ownership: one node at a time for a data folder.

The owner locks a file there with flock and writes its process id into it.  The kernel releases the
lock when the process ends, however it ends, so a crash leaves nothing to clean up.  On a disk that
became read-only the lock still works; only the process id is not written.  The command line takes
no ownership: it may read and write while a node runs.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
import errno
import fcntl
import os
from pathlib import Path
import platform

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.files.disk_errors import as_store_error

OWNER_FILE = 'owner'

_READ_ONLY_ERRORS = (errno.EROFS, errno.EACCES, errno.EPERM)


class Ownership(AbstractContextManager['Ownership']):
    """
    The ownership of a data folder, until it is released or the process ends.

    Args:
        folder: the data folder; it exists.

    Raises:
        StoreError: if another node owns it (the message has its process id), or the lock file
            cannot be used.

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
            # The file stays: otherwise one process could lock the deleted file and another one
            # a new file of the same name.
            os.close(self._descriptor)

    def _take(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError(
                f'{self.folder} is in use by another node ({self._read_owner()}). What to do: '
                'end that one, or set data_dir to another folder.'
            ) from error
        if not self._writable:
            return
        # Overwrite before truncating, so that no disk space is needed.
        owner = f'{os.getpid()} {platform.node()}\n'.encode()
        os.ftruncate(self._descriptor, os.pwrite(self._descriptor, owner, 0))

    def _read_owner(self) -> str:
        """Return the owner as text."""
        if not self._writable:
            return 'which could not write its process id down'
        line, _, _ = os.pread(self._descriptor, 1000, 0).partition(b'\n')
        pid, _, host = line.decode(errors='replace').partition(' ')
        if not pid.isdecimal():
            return 'which has only just begun'
        # Containers and network file systems share folders, but not process ids.
        return f'process {pid}' if host == platform.node() else f'process {pid} on {host!a}'


def _open(path: Path) -> tuple[int, bool]:
    """Return a descriptor of the file to lock, and whether it can be written to."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644), True
    except OSError as error:
        if error.errno not in _READ_ONLY_ERRORS or not path.exists():
            raise
    return os.open(path, os.O_RDONLY), False


_owned: set[Ownership] = set()


def _release_in_child() -> None:
    # Close the child's copy of the descriptor, which would keep the lock alive.
    for ownership in list(_owned):
        ownership.release()


# A forked child (multiprocessing; subprocess closes files) that outlives its parent would continue
# to own the folder under the parent's process id.
os.register_at_fork(after_in_child=_release_in_child)
