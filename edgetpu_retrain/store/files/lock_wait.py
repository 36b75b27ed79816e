# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Waits for a file that another program has locked."""

from __future__ import annotations

from collections.abc import Callable
import sqlite3
import time
from typing import TypeVar

Result = TypeVar('Result')

PATIENCE_S = 10.0
"""How long to wait for a lock, seconds."""

SQLITE_TIMEOUT_S = 0.1
"""Timeout of SQLite connections, seconds; short, because SQLite's wait cannot be interrupted."""

_RETRY_PERIOD_S = 0.02


def wait_while_locked(
    function: Callable[[], Result], is_ending: Callable[[], bool] = lambda: False
) -> Result:
    """
    Call a function repeatedly, as long as it fails because another program has a lock.

    One long wait inside flock or SQLite could not be interrupted: if another program hung while it
    had the lock, a node could not shut down.

    Args:
        function: tries to acquire a lock, and fails soon: flock with LOCK_NB, or SQLite on a
            connection with the timeout :data:`SQLITE_TIMEOUT_S`.
        is_ending: called after each failed attempt; returns whether to stop waiting.

    Returns:
        The return value of ``function``.

    Raises:
        BlockingIOError, sqlite3.OperationalError: if the lock is not released within
            :data:`PATIENCE_S`, or ``is_ending`` returns true.
        Exception: any other exception of the function, without waiting.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return function()
        except (BlockingIOError, sqlite3.OperationalError) as error:
            # Compare with SQLite's message for SQLITE_BUSY (https://www.sqlite.org/rescode.html),
            # because Python 3.10 does not provide SQLite's error codes.
            locked = isinstance(error, BlockingIOError) or 'is locked' in str(error)
            if not locked or is_ending() or time.monotonic() >= deadline:
                raise
        time.sleep(_RETRY_PERIOD_S)
