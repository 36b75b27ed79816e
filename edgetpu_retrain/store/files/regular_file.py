# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Opens files of the data folder without following symbolic links."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
import stat


def read_regular_file(path: Path, *, at_most: int | None = None) -> bytes:
    """
    Return the bytes of a regular file; reject symbolic links and special files.

    A symbolic link could make the node read any file of its user.  A pipe would block the node.

    Args:
        path: path of the file; the folders above it may be symbolic links.
        at_most: maximum size of the file, bytes; None = any size.

    Raises:
        ValueError: if the file is larger than ``at_most``.
        OSError: if the path is not a regular file, or the file cannot be read.
    """
    with os.fdopen(open_regular_file(path), 'rb') as file:
        content = file.read(-1 if at_most is None else at_most + 1)
    if at_most is not None and len(content) > at_most:
        raise ValueError(f'it has more than {at_most} bytes')
    return content


def open_regular_file(path: Path, flags: int = os.O_RDONLY) -> int:
    """
    Return a descriptor of a regular file.

    Args:
        path: path of the file; the folders above it may be symbolic links.
        flags: flags of :func:`os.open`; a new file gets the permissions 0o644 minus the umask.

    Raises:
        OSError: if the path is not a regular file, or the file cannot be opened.
    """
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    except OSError:
        # For a symbolic link or a pipe, raise a clearer error than that of the system.
        check_regular_file(path)
        raise
    try:
        _check(path, os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def exists(path: Path) -> bool:
    """
    Return whether there is a file or folder at a path; symbolic links are followed.

    Unlike :meth:`pathlib.Path.exists`, which depends on the release of Python, this function
    raises if a failing disk or a missing permission leaves it unknown.

    Raises:
        OSError: if it is not known.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def check_regular_file(path: Path) -> None:
    """Raise OSError if a path exists and is not a regular file."""
    with contextlib.suppress(FileNotFoundError):
        _check(path, path.lstat())


def _check(path: Path, status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, 'it is a symbolic link', str(path))
    if stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EISDIR, 'it is a folder', str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, 'it is no regular file', str(path))
