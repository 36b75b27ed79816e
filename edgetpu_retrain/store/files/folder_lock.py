# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""One writer at a time in a folder, among all processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import contextlib
import fcntl
from pathlib import Path

from edgetpu_retrain.store.files.durable_file import TEMPORARY_SUFFIX
from edgetpu_retrain.store.files.lock_wait import wait_while_locked

LOCK_FILE = '.lock'


@contextlib.contextmanager
def locked_folder(folder: Path, is_ending: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """
    Hold a folder's lock, and delete what a killed process left half written.

    The kernel releases the lock when the process ends.

    Args:
        folder: an existing folder; everyone who writes in it must use this.
        is_ending: called while another process holds the lock: whether to stop waiting.

    Raises:
        BlockingIOError: if another process holds it for too long, see
            :func:`~edgetpu_retrain.store.files.lock_wait.wait_while_locked`.
        OSError: if the lock file cannot be created.
    """
    with (folder / LOCK_FILE).open('ab') as file:
        wait_while_locked(lambda: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB), is_ending)
        for leftover in folder.glob(f'.*{TEMPORARY_SUFFIX}'):
            leftover.unlink()
        yield
