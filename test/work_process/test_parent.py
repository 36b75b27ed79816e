# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Child processes for long work."""

from __future__ import annotations

import asyncio
import os

from edgetpu_retrain.work_process.parent import started


def test_ctrl_c_does_not_reach_a_child() -> None:
    async def session() -> int:
        async with started('timeit', '-n1', '-r1', 'import time; time.sleep(60)') as child:
            return os.getsid(child.pid)

    assert asyncio.run(session()) != os.getsid(0)
