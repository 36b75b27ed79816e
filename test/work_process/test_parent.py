# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Child processes for long work."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.work_process.parent import run_work, started
import pytest

KILLED_WHILE_IT_WRITES = """
import os
import signal

os.write(1, b'{"step": "one"}\\n{"result": {"it": "is inc')
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_ctrl_c_does_not_reach_a_child() -> None:
    async def session() -> int:
        async with started('timeit', '-n1', '-r1', 'import time; time.sleep(60)') as child:
            return os.getsid(child.pid)

    assert asyncio.run(session()) != os.getsid(0)


def test_a_child_that_is_killed_while_it_writes_has_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'killed_while_it_writes.py').write_text(KILLED_WHILE_IT_WRITES)
    monkeypatch.syspath_prepend(str(tmp_path))
    steps: list[str] = []
    with pytest.raises(StoreError, match='was ended by SIGKILL'):
        asyncio.run(run_work('killed_while_it_writes', on_step=steps.append))
    assert steps == ['one']
