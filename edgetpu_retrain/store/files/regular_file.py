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
    Return the bytes of a regular file.

    A symbolic link could make the node read any file of its user, and a pipe would block it.

    Args:
        path: of the file; folders above it may be links.
        at_most: the maximum number of bytes, None = any.

    Raises:
        ValueError: if it has more.
        OSError: if it is no regular file or cannot be read.
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
