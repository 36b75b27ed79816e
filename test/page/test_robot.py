# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The thread that receives images."""

from __future__ import annotations

import asyncio
import threading

from edgetpu_retrain.page.robot import Robot
from support.waiting import PATIENCE_S


def test_images_are_received_after_a_visitor_has_gone() -> None:
    async def scenario() -> str:
        robot = Robot('edgetpu_retrain', [])
        try:
            is_free = threading.Event()
            robot.in_ros(is_free.wait)
            # asyncio does this when the handler of the visitor is cancelled.
            robot.in_ros(lambda: None).cancel()
            is_free.set()
            # The executor may run its tasks in any order, so repeat it.
            for _ in range(2):
                work = asyncio.wrap_future(robot.in_ros(lambda: 'works'))
                result = await asyncio.wait_for(work, PATIENCE_S)
            return result
        finally:
            await robot.close()

    assert asyncio.run(scenario()) == 'works'
