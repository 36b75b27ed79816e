# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads files of the data folder without following symbolic links."""

from __future__ import annotations

import errno
import os
from pathlib import Path
import stat


def read_regular_file(path: Path, *, at_most: int | None = None) -> bytes:
    """
    Return the bytes of a regular file; reject symbolic links and special files.

    A symbolic link could make the node read any file of its user, and a pipe would block it.

    Args:
        path: path of the file; the folders in it may be symbolic links.
        at_most: maximum size of the file, bytes; None = any size.

    Raises:
        ValueError: if the file is larger.
        OSError: if it is not a regular file, or cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, 'it is a symbolic link', str(path)) from error
        raise
    with os.fdopen(descriptor, 'rb', closefd=True) as file:
        kind = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, 'it is no regular file', str(path))
        content = file.read(-1 if at_most is None else at_most + 1)
    if at_most is not None and len(content) > at_most:
        raise ValueError(f'it has more than {at_most} bytes')
    return content
