# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Analyses run in a child process, one at a time, and end with the page."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
import signal
from typing import Any

from edgetpu_retrain.page.data.analysis_run import AnalysisRun
import pytest
from support.taught_folder import TaughtFolder
from support.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.usefixtures('measured_processes')


class Changes:
    """Records the steps, and waits for the end of an analysis."""

    def __init__(self) -> None:
        self.run = AnalysisRun(self.changed)
        self._changed = asyncio.Event()
        self.steps: list[str] = []

    def changed(self) -> None:
        # Here, because a busy machine may take several steps before it runs end() again.
        self.steps.append(self.run._step)
        self._changed.set()

    async def end(self, folder: Path) -> dict[str, Any]:
        """Wait until no analysis runs, and return the state."""
        while True:
            # First, because the analysis may end while its state is read.
            self._changed.clear()
            state = await self.run.state(folder)
            if state['state'] != 'running':
                return state
            await asyncio.wait_for(self._changed.wait(), PATIENCE_S)


@pytest.fixture
def taught(folder: TaughtFolder) -> TaughtFolder:
    folder.add('hat', 10, 1)
    folder.add('mug', 10, 0)
    return folder


def test_an_analysis_is_ready_until_samples_change(taught: TaughtFolder) -> None:
    async def main() -> None:
        changes = Changes()
        assert await changes.run.state(taught.path) == {
            'state': 'none', 'step': '', 'progress': 0.0, 'message': '', 'stale': False,
        }  # fmt: skip
        assert changes.run.start(taught.path)
        assert not changes.run.start(taught.path)
        ready = await changes.end(taught.path)
        assert ready['state'] == 'ready'
        assert 'training on all samples' in changes.steps
        assert not ready['stale']
        assert ready['labels'] == ['hat', 'mug']
        assert 'fingerprint' not in ready
        taught.add('cup', 5, 2)
        old = await changes.run.state(taught.path)
        assert (old['stale'], old['labels']) == (True, ['hat', 'mug'])
        assert not (await changes.run.state(None))['stale']
        assert changes.run.start(taught.path)
        ready = await changes.end(taught.path)
        assert (ready['stale'], ready['labels']) == (False, ['hat', 'mug', 'cup'])
        await changes.run.close()

    asyncio.run(main())


def test_a_failure_is_a_sentence_and_keeps_the_last_result(taught: TaughtFolder) -> None:
    async def main() -> None:
        changes = Changes()
        changes.run.start(taught.path)
        await changes.end(taught.path)
        (taught.path / 'samples.db').write_bytes(b'not a database' * 1000)
        for name in ('samples.db-wal', 'samples.db-shm'):
            (taught.path / name).unlink(missing_ok=True)
        changes.run.start(taught.path)
        failed = await changes.end(taught.path)
        assert failed['state'] == 'failed'
        assert 'samples.db' in failed['message']
        assert failed['labels'] == ['hat', 'mug']
        assert failed['stale']

    asyncio.run(main())


def test_an_empty_store_says_what_to_do(folder: TaughtFolder) -> None:
    async def main() -> None:
        changes = Changes()
        changes.run.start(folder.path)
        failed = await changes.end(folder.path)
        assert failed['state'] == 'failed'
        assert 'Teach some first' in failed['message']
        assert not any(folder.path.iterdir())

    asyncio.run(main())


def children() -> set[int]:
    """Return the process ids of this process's children that run."""
    found = set()
    for path in Path('/proc').glob('[0-9]*/stat'):
        try:
            fields = path.read_text().rpartition(')')[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and fields[0] != 'Z':
            found.add(int(path.parent.name))
    return found


@pytest.mark.parametrize('turns', range(6))
def test_closing_ends_a_child_that_is_just_starting(taught: TaughtFolder, turns: int) -> None:
    before = children()

    async def main() -> None:
        changes = Changes()
        changes.run.start(taught.path)
        for _ in range(turns):
            await asyncio.sleep(0)
        await asyncio.wait_for(changes.run.close(), PATIENCE_S)

    asyncio.run(main())
    wait_until(lambda: children() <= before)


def test_closing_ends_the_child(taught: TaughtFolder) -> None:
    before = children()

    async def main() -> None:
        changes = Changes()
        changes.run.start(taught.path)
        while not (started := children() - before):
            await asyncio.sleep(0.01)
        # So that it does not end by itself.
        os.kill(started.pop(), signal.SIGSTOP)
        await asyncio.wait_for(changes.run.close(), PATIENCE_S)

    asyncio.run(main())
    wait_until(lambda: children() <= before)
