# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Tasks that run until the first of them ends."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

from edgetpu_retrain.fleet.hub.tasks import run_until_first_ends
import pytest


def test_of_tasks_that_fail_at_once_only_the_raised_error_is_reported() -> None:
    async def lose(lost: asyncio.Event) -> None:
        await lost.wait()
        raise ConnectionError('the connection was lost')

    async def fail_when_cancelled() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError('it cannot be closed')

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: reported.append(context))
        lost = asyncio.Event()
        loop.call_soon(lost.set)
        with pytest.raises(ConnectionError):
            await run_until_first_ends(lose(lost), lose(lost), fail_when_cancelled())
        gc.collect()

    reported: list[dict[str, Any]] = []
    asyncio.run(scenario())
    gc.collect()
    assert reported == []
