# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""AnalysisRun: runs analyses of the samples, and keeps the last result."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgetpu_retrain.errors import RetrainError, StoreError
from edgetpu_retrain.page.data.analysis import fingerprint, STEPS
from edgetpu_retrain.page.data.child import run_work


class AnalysisRun:
    """
    Runs analyses, one at a time, and keeps the result of the last one.

    Args:
        on_change: called when an analysis starts, reaches a step or ends.
    """

    def __init__(self, on_change: Callable[[], object]) -> None:
        self._on_change = on_change
        self._task: asyncio.Task[None] | None = None
        self._result: dict[str, Any] = {}
        self._step = ''
        self._steps = 0
        self._message = ''

    def start(self, folder: Path) -> bool:
        """Start an analysis of a data folder; return False if one runs already."""
        if self._task is not None and not self._task.done():
            return False
        self._step, self._steps, self._message = 'starting', 0, ''
        self._task = asyncio.get_running_loop().create_task(self._run(folder))
        self._on_change()
        return True

    async def state(self, folder: Path | None) -> dict[str, Any]:
        """
        Return the state and the last result, also while another analysis runs.

        Args:
            folder: the data folder; None if it cannot be read, so that the result is not marked
                as stale.
        """
        state = 'ready' if self._result else 'none'
        if self._task is not None and not self._task.done():
            state = 'running'
        elif self._message:
            state = 'failed'
        stale = bool(self._result) and folder is not None and await self._is_stale(folder)
        about = {name: value for name, value in self._result.items() if name != 'fingerprint'}
        return {
            **about,
            'state': state,
            'step': self._step,
            'progress': self._steps / (STEPS + 1),
            'message': self._message,
            'stale': stale,
        }

    async def close(self) -> None:
        """End the analysis that runs."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self, folder: Path) -> None:
        try:
            self._result = await run_work(str(folder), 'analysis', on_step=self._at)
        except RetrainError as error:
            self._message = str(error)
        finally:
            self._step = ''
            # Notify when the task is done, because pages then request the state.
            asyncio.get_running_loop().call_soon(self._on_change)

    def _at(self, step: str) -> None:
        self._step = step
        self._steps += 1
        self._on_change()

    async def _is_stale(self, folder: Path) -> bool:
        loop = asyncio.get_running_loop()
        try:
            now = await loop.run_in_executor(None, fingerprint, folder)
        except StoreError:
            return True
        return bool(now != self._result['fingerprint'])
