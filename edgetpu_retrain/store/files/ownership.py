# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Ownership: one node at a time on a data folder.

The owner holds an flock on a file there, with its process id inside.  The kernel takes the lock
back when the process ends, however it ends, so nothing is ever left to be cleared away by hand.
On a disk that has become read-only the lock still works; only the process id is not written.
The command line does not ask for it: it may read and write beside the node.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
import errno
import fcntl
import os
from pathlib import Path
import platform

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.files.failure import as_store_error

OWNER_FILE = 'owner'

_NO_WRITING = (errno.EROFS, errno.EACCES, errno.EPERM)


class Ownership(AbstractContextManager['Ownership']):
    """
    A data folder taken into possession, until released or the process ends.

    Args:
        folder: the data folder; it exists.

    Raises:
        StoreError: when another node owns it, naming that one's process id, or when the lock
            cannot be made.

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
        _held.add(self)

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Let another node own the folder; a second time does nothing."""
        if self in _held:
            _held.discard(self)
            # The file stays: whoever waits for its lock would else hold that of a file that
            # is gone while a third one makes a new file.
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
        # Written over before it is cut, so that a full disk has nothing to find room for.
        owner = f'{os.getpid()} {platform.node()}\n'.encode()
        os.ftruncate(self._descriptor, os.pwrite(self._descriptor, owner, 0))

    def _read_owner(self) -> str:
        """Return who owns the folder, in words."""
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
        if error.errno not in _NO_WRITING or not path.exists():
            raise
    return os.open(path, os.O_RDONLY), False


_held: set[Ownership] = set()


def _release_in_child() -> None:
    # It closes the child's copy of the file, which would keep the lock alive.
    for ownership in list(_held):
        ownership.release()


# A forked child (multiprocessing, not subprocess, which closes files) that outlives its parent
# would own the folder on under the parent's process id.
os.register_at_fork(after_in_child=_release_in_child)
