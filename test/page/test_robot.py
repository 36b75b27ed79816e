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
            waiting = asyncio.wrap_future(robot.in_ros(lambda: None))
            waiting.cancel()
            await asyncio.sleep(0)
            is_free.set()
            work = asyncio.wrap_future(robot.in_ros(lambda: 'works'))
            return await asyncio.wait_for(work, PATIENCE_S)
        finally:
            await robot.close()

    assert asyncio.run(scenario()) == 'works'
