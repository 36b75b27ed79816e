# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""AnalysisRun: runs analyses of the samples, and stores the last result."""

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
    Runs one analysis of the samples at a time, and stores the last result.

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
        """Start an analysis of a data folder; return False if an analysis is already running."""
        if self._task is not None and not self._task.done():
            return False
        self._step, self._steps, self._message = 'starting', 0, ''
        self._task = asyncio.get_running_loop().create_task(self._run(folder))
        self._on_change()
        return True

    async def state(self, folder: Path | None) -> dict[str, Any]:
        """
        Return the state of the analysis, and the last result if there is one.

        Args:
            folder: the data folder, to check whether the last result is stale; None = no check.

        Returns:
            The last result; ``state``: 'none', 'running', 'failed' or 'ready'; ``step`` and
            ``progress`` (0 to 1) of the running analysis; ``message``: why the last analysis
            failed; ``stale``: whether samples or models have changed since the last result, or
            cannot be read.
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
        """Cancel the running analysis, and wait for its end; do nothing if none was started."""
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
            # Pages request the state when they are notified, so this task must be done before.
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
