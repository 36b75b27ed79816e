# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Writes files and creates folders that are complete after a crash or a power loss.

A new file is written under a temporary name, flushed to the disk and renamed.  Then the folder,
which contains the name, is flushed.  So the file has its old or its new content, never a part of
it (T. S. Pillai et al., 'All File Systems Are Not Created Equal', OSDI 2014, section 2.2).
"""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import os
from pathlib import Path

from edgetpu_retrain.store.files.regular_file import exists

TEMPORARY_SUFFIX = '.partial'


def write_durably(path: Path, content: bytes) -> None:
    """
    Write a file; its content is on disk when this function returns.

    Args:
        path: the file; an existing file is replaced atomically.
        content: all bytes of the file.

    Raises:
        OSError: if the disk fails; the file then has its old content or its new content.
    """
    with complete_or_absent(path) as temporary:
        temporary.write_bytes(content)
    sync_folder(path.parent)


@contextlib.contextmanager
def complete_or_absent(path: Path, temporary: Path | None = None) -> Iterator[Path]:
    """
    Yield a temporary path to write to; after the ``with`` block, flush and rename the file.

    The temporary file is new and empty; an earlier file at its path is deleted.  If the block
    raises, the temporary file is deleted.  The caller flushes the folder, with
    :func:`sync_folder`.

    Args:
        path: final path of the file; an existing file is replaced atomically.
        temporary: the temporary path; None = a hidden file in the same folder.

    Raises:
        OSError: if the disk fails.
    """
    temporary = temporary or path.with_name(f'.{path.name}{TEMPORARY_SUFFIX}')
    # Writing to a symbolic link would overwrite the target of the link.
    temporary.unlink(missing_ok=True)
    try:
        temporary.touch(exist_ok=False)
        yield temporary
        with temporary.open('rb') as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """Flush the file names in a folder to the disk; raise OSError if the disk fails."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """
    Create a folder and its missing parents, and flush them to the disk.

    Args:
        folder: absolute path; an existing folder stays unchanged.
        mode: permissions of the folder if it is new, before the umask is applied; new parents get
            the default permissions.

    Raises:
        OSError: if the folder cannot be created, or a file has its name.
    """
    missing = [part for part in (folder, *folder.parents) if not exists(part)]
    folder.mkdir(mode, parents=True, exist_ok=True)
    for part in reversed(missing):
        sync_folder(part.parent)
