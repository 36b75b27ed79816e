# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""How long a request waits for a database that another program holds."""

from __future__ import annotations

from collections.abc import Callable
import sqlite3
import time
from typing import TypeVar

Answer = TypeVar('Answer')

PATIENCE_S = 10.0
"""Then the request is refused, seconds."""

WAIT_SLICE_S = 0.1
"""SQLite's own timeout: how long it waits before somebody looks whether all is to end."""


def wait_while_locked(
    function: Callable[[], Answer], is_ending: Callable[[], bool] = lambda: False
) -> Answer:
    """
    Call a function again and again until no other program's lock is in its way.

    SQLite's own waiting cannot be interrupted: a node that is told to end would have to wait for
    whoever holds the database.

    Args:
        function: begins something on a connection whose timeout is :data:`WAIT_SLICE_S`.
        is_ending: whether nobody needs the answer any more; it is asked between two calls.

    Raises:
        sqlite3.OperationalError: when it is still locked after :data:`PATIENCE_S`, or all is to
            end; and whatever else the function raises.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return function()
        except sqlite3.OperationalError as error:  # noqa: PERF203 - trying again is the point
            # SQLite's words for SQLITE_BUSY (https://www.sqlite.org/rescode.html), because
            # Python 3.10 does not pass its error codes on.
            if 'is locked' not in str(error) or is_ending() or time.monotonic() >= deadline:
                raise
