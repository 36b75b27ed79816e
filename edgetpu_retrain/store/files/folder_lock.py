# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""One writer at a time in a folder, among threads and processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import contextlib
import fcntl
from pathlib import Path
import time
from typing import BinaryIO

from edgetpu_retrain.store.files.durable_file import TEMPORARY_SUFFIX

LOCK_FILE = '.lock'

PATIENCE_S = 10.0
"""How long to wait for another writer, seconds; a file is written in far less."""

_TRY_EVERY_S = 0.02


@contextlib.contextmanager
def locked_folder(folder: Path, is_ending: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """
    Wait until nobody else writes in a folder, then keep the others waiting.

    The lock ends with the process that holds it.  What a process that was killed left half
    written is cleared away.

    Args:
        folder: an existing folder; all who write in it must ask here.
        is_ending: asked while another one writes: whether to wait no longer.

    Raises:
        BlockingIOError: when another one still writes after :data:`PATIENCE_S`.
        OSError: when the lock file cannot be made.
    """
    with (folder / LOCK_FILE).open('ab') as file:
        _lock(file, is_ending)
        # Nobody else is writing now, so these were left by a process that was killed.
        for leftover in folder.glob(f'.*{TEMPORARY_SUFFIX}'):
            leftover.unlink()
        yield


def _lock(file: BinaryIO, is_ending: Callable[[], bool]) -> None:
    # A waiting flock could not be interrupted: a writer that is stopped or hangs would keep a
    # node from ending.
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # noqa: PERF203 - trying again is the point
            if is_ending() or time.monotonic() >= deadline:
                raise
            time.sleep(_TRY_EVERY_S)
        else:
            return
