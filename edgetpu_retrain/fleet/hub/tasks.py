# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Waits for asyncio events and tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
import math
from typing import Any


async def wait_for_event(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, at most for a number of seconds; ``math.inf`` = without a limit."""
    try:
        await asyncio.wait_for(event.wait(), None if seconds == math.inf else seconds)
    except asyncio.TimeoutError:
        return


async def run_until_first_ends(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run coroutines until the first ends, cancel the others, and raise what it raised."""
    tasks = [asyncio.ensure_future(each) for each in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
