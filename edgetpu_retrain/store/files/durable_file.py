# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Files and folders that are there, complete, after a crash or a power cut.

A new file is first written beside its final name, flushed to the disk, renamed, and then the
folder, which holds the name, is flushed too.  Whoever opens the final name finds the old
content or the new one, never a part (T. S. Pillai et al., 'All File Systems Are Not Created
Equal', OSDI 2014, section 2.2).  These functions raise plain OSError; callers word it.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

TEMPORARY_SUFFIX = '.partial'


def write_durably(path: Path, content: bytes) -> None:
    """
    Write a whole file so that it is on the disk when this returns.

    Args:
        path: the file; one already there is replaced in a single step.
        content: all of its bytes.

    Raises:
        OSError: when the disk refuses; the file is then as it was before.
    """
    temporary = path.with_name(f'.{path.name}{TEMPORARY_SUFFIX}')
    try:
        with temporary.open('wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk; raise OSError when the disk refuses."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """
    Create a folder and the missing ones above it, on the disk when this returns.

    Args:
        folder: absolute path; nothing happens when it is there already.
        mode: its permissions when it is new, less those that the umask takes away.

    Raises:
        OSError: when it cannot be created or a file has its name.
    """
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    folder.mkdir(mode, parents=True, exist_ok=True)
    for part in reversed(missing):
        sync_folder(part.parent)
