# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Waiting for a file that another program has locked."""

from __future__ import annotations

from collections.abc import Callable
import sqlite3
import time
from typing import TypeVar

Result = TypeVar('Result')

PATIENCE_S = 10.0
"""Then the request fails, seconds."""

SQLITE_TIMEOUT_S = 0.1
"""Of connections: SQLite's own waiting cannot be interrupted."""

_RETRY_PERIOD_S = 0.02


def wait_while_locked(
    function: Callable[[], Result], is_ending: Callable[[], bool] = lambda: False
) -> Result:
    """
    Call a function repeatedly until no lock of another program makes it fail.

    Waiting in the system or in SQLite could not be interrupted: a program that hangs with a lock
    would keep a node from shutting down.

    Args:
        function: takes a lock without waiting: an flock, or something on a connection whose
            timeout is :data:`SQLITE_TIMEOUT_S`.
        is_ending: called between two attempts: whether to stop waiting.

    Raises:
        BlockingIOError, sqlite3.OperationalError: if it is still locked after :data:`PATIENCE_S`
            or at the end; and any other exception of the function.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return function()
        except (BlockingIOError, sqlite3.OperationalError) as error:
            # SQLite's message for SQLITE_BUSY (https://www.sqlite.org/rescode.html), because
            # Python 3.10 does not pass on its error codes.
            locked = isinstance(error, BlockingIOError) or 'is locked' in str(error)
            if not locked or is_ending() or time.monotonic() >= deadline:
                raise
        time.sleep(_RETRY_PERIOD_S)
