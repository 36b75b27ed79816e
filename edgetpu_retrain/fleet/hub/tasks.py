# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Waits for asyncio events and tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
import math
from typing import Any

SECONDS_TO_CANCEL = 3.0
"""Time until a task that has not ended is cancelled again, seconds."""


async def wait_for_event(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, at most for a number of seconds; ``math.inf`` = without a limit."""
    try:
        await asyncio.wait_for(event.wait(), None if seconds == math.inf else seconds)
    except asyncio.TimeoutError:
        return


async def run_until_first_ends(*coroutines: Coroutine[Any, Any, None]) -> None:
    """
    Run coroutines until one ends, and cancel the others.

    If the one that ended has raised an error, raise this error; errors of the others are ignored.
    """
    tasks = [asyncio.create_task(each) for each in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancel(tasks)
        # Several tasks fail at once if a connection is lost.  asyncio would log the errors that
        # nobody reads.
        for task in tasks:
            if not task.cancelled():
                task.exception()
    for task in done:
        task.result()


async def cancel(tasks: Iterable[asyncio.Task[None]], repeat_s: float = SECONDS_TO_CANCEL) -> None:
    """
    Cancel tasks, and wait until they have ended.

    Args:
        tasks: the tasks.
        repeat_s: time until tasks that have not ended are cancelled again, seconds.  A shorter
            time would interrupt the cleanup of tasks, such as waiting for a killed process.
    """
    while waiting := [task for task in tasks if not task.done()]:
        # Before Python 3.12, a task may miss a cancellation that arrives just as it gets what it
        # waits for: https://github.com/python/cpython/issues/86296
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting, timeout=repeat_s)
