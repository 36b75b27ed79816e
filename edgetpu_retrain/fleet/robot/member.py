# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Member: one robot in a fleet; it claims samples, trains, asks questions and reports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
import contextlib
import time
from typing import TypeVar

from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub.connection import HubCredentials
from edgetpu_retrain.fleet.hub.reports import Report
from edgetpu_retrain.fleet.hub.synchronization import (
    HubStatus,
    NOT_TRIED,
    Synchronization,
)
from edgetpu_retrain.fleet.hub.tasks import run_until_first_ends
from edgetpu_retrain.fleet.problems import Log, Problems
from edgetpu_retrain.fleet.robot.learner import Learned, Learner
from edgetpu_retrain.fleet.robot.own_samples import Scan
from edgetpu_retrain.fleet.robot.pauses import Pauses, USUAL
from edgetpu_retrain.fleet.robot.questions import Unsettled
from edgetpu_retrain.fleet.robot.robot_files import RobotFiles
from edgetpu_retrain.wording import counted, sentence

Result = TypeVar('Result')

_LONGEST_RETRY_S = 300.0


class Member:
    """
    Runs the parts of a member concurrently: scans, synchronization, trainings and reports.

    A part that fails is retried while the others go on.

    Args:
        name: name of the robot.
        key: the robot's key.
        hubs: address and credentials of each hub.
        files: the robot's files; the caller closes them after :meth:`run`.
        learner: learns from the fleet.
        log: writes a line to the log.
        pauses: how often each part runs.
    """

    def __init__(
        self,
        name: str,
        key: Key,
        hubs: Sequence[tuple[str, HubCredentials]],
        files: RobotFiles,
        learner: Learner,
        log: Log,
        pauses: Pauses = USUAL,
    ) -> None:
        self.scan = Scan()
        """The result of the last scan of this robot's own samples."""
        self.asked = Unsettled()
        """The numbers of open questions and of unsettled samples."""
        self.learned = Learned(learner.rejection)
        """
        The learner's last result; a result that says that nothing is new does not count.

        At first, the last rejection before this process.
        """
        self.serving = 0
        """Number of the version that serves, or that the node will load next; 0 = none."""
        self.report = Report(name, 0)
        """The newest report; until the first one is made, one without figures."""
        self._learn_due = asyncio.Event()
        self._report_due = asyncio.Event()
        self.problems = Problems(log, self._report_due.set)
        """The current problems of the parts."""
        self._name = name
        self._files = files
        self._learner = learner
        self._log = log
        self._pauses = pauses
        self._synchronization = Synchronization(
            files.ledger,
            key,
            hubs,
            on_change=self._changed,
            accept_release=learner.accept_release,
            own_packs_only=not learner.needs_evidence,
        )
        # The only thread that calls the methods of ``files``, except complete().  Other threads
        # also use the ledger.
        self._thread = ThreadPoolExecutor(1, 'own samples')
        self._samples_version: object = None
        self._ask_due = True
        self._has_unsealed = True

    @property
    def hubs(self) -> list[HubStatus]:
        """The state of each hub."""
        return self._synchronization.status()

    def summary(self) -> tuple[str, dict[str, object]]:
        """Return the state of the connections as text, and further values by name."""
        report = self.report
        connected = [hub.url for hub in self.hubs if hub.connected]
        message = f'connected to {", ".join(connected)}' if connected else 'not connected'
        return message, {
            'samples of this robot': self.scan.samples,
            'claims to publish': report.unpublished,
            'packs to read': report.behind,
            'trusted samples': report.trusted,
            'model version': self.serving,
            'questions': self.asked.questions,
            'proposals': self.asked.proposals,
            'disagreements': self.asked.disagreements,
            'quarantined packs': report.quarantine,
            'waiting packs': report.waiting,
            'last training': report.gate,
        }

    async def run(self) -> None:
        """Run all parts until cancelled."""
        self._learn_due.set()
        try:
            # On cancellation, each part is cancelled once, and again only after some seconds, so
            # that the part can clean up.
            await run_until_first_ends(
                self._look_again_and_again(),
                self._synchronize_again_and_again(),
                self._learn_when_due(),
                self._report_when_due(),
            )
        finally:
            # Wait until the thread has finished its last write.
            await asyncio.to_thread(self._thread.shutdown)

    async def _look_again_and_again(self) -> None:
        while True:
            began = time.monotonic()
            scan = await self._in_thread('samples', self._files.scan)
            if scan is not None:
                self._scanned(scan)
                await self._look_at_claims()
                await self._in_thread('questions', self._ask_if_due)
            serving = await self._in_thread('models', self._files.serving_version)
            if serving not in (None, self.serving, self.learned.version):
                # Another program has trained, or the user has chosen another version.
                self._learn_due.set()
            if serving is not None:
                self.serving = serving
                await self._look_at_version()
            self._note_hubs()
            # A scan of many samples takes long: pause ten times as long, within limits.
            took_s = time.monotonic() - began
            pause_s = max(self._pauses.scan_s, min(10 * took_s, self._pauses.longest_scan_s))
            if scan is None:
                pause_s = self._pauses.retry_s
            elif not scan.is_complete:
                pause_s = 0.0
            await asyncio.sleep(pause_s)

    async def _look_at_version(self) -> None:
        words = await self._in_thread('models', lambda: self._learner.problem_of(self.serving))
        self.problems.report('version', words or '')

    async def _look_at_claims(self) -> None:
        if self._has_unsealed and await self._in_thread(
            'claims', lambda: not self._files.ledger.unsealed_count
        ):
            # The questions depend only on sealed claims: update them once all claims are sealed.
            self._has_unsealed, self._ask_due = False, True
        if self.report.unpublished and await self._in_thread(
            'claims', lambda: not self._files.ledger.unpublished_count
        ):
            self._report_due.set()

    def _note_hubs(self) -> None:
        for hub in self.hubs:
            if hub.problem != NOT_TRIED:
                self.problems.report(
                    f'hub {hub.url}', f'{hub.url}: {hub.problem}' if hub.problem else ''
                )

    def _scanned(self, scan: Scan) -> None:
        if scan.claims:
            self._has_unsealed = True
            self._synchronization.wake()
            self._ask_due = True
            self._learn_due.set()
            self._report_due.set()
        if scan.unclaimable != self.scan.unclaimable:
            text = counted(scan.unclaimable, 'sample has a label', 'samples have labels')
            words = f'{text} that no fleet accepts: relabel these to share them'
            self.problems.report('labels', words if scan.unclaimable else '')
        if scan.kept > self.scan.kept:
            text = counted(scan.kept, 'sample', 'samples')
            self._log(
                'warning',
                f'samples.db was replaced and no longer has {text} of this robot: the fleet keeps '
                "them ('edgetpu_retrain fleet erase' at the station deletes samples everywhere).",
            )
        self.scan = scan

    def _ask_if_due(self) -> None:
        version = self._files.samples_version()
        if not self._ask_due and version == self._samples_version:
            return
        self._ask_due = False
        try:
            self.asked = self._files.ask()
        except BaseException:
            self._ask_due = True
            raise
        self._samples_version = version

    def _changed(self, _stream: str) -> None:
        """Schedule questions, a training and a report, because a hub has sent something new."""
        self._ask_due = True
        self._learn_due.set()
        self._report_due.set()

    async def _synchronize_again_and_again(self) -> None:
        while True:
            await self.problems.attempt('hub', self._synchronization.run)
            await asyncio.sleep(self._pauses.retry_s)

    async def _learn_when_due(self) -> None:
        retry_s = self._pauses.retry_s
        while True:
            await self._learn_due.wait()
            await self._wait_until_quiet()
            learned = await self.problems.attempt('training', self._learner.learn)
            if learned is None:
                retry_s = min(2 * retry_s, _LONGEST_RETRY_S)
                await asyncio.sleep(retry_s)
                self._learn_due.set()
                continue
            retry_s = self._pauses.retry_s
            if learned.words and learned != self.learned:
                self.learned = learned
                self._log('info', sentence(learned.words))
                self._report_due.set()

    async def _wait_until_quiet(self) -> None:
        """Wait, for a limited time, until all connected hubs are read and nothing changes."""
        began = time.monotonic()
        while True:
            self._learn_due.clear()
            try:
                await asyncio.wait_for(self._learn_due.wait(), self._pauses.quiet_s)
            except asyncio.TimeoutError:
                is_quiet = True
            else:
                is_quiet = False
            is_behind = any(hub.connected and hub.behind != 0 for hub in self.hubs)
            waited_s = time.monotonic() - began
            if waited_s > self._pauses.catch_up_s:
                return
            if not is_behind and (is_quiet or waited_s > self._pauses.longest_s):
                return

    async def _report_when_due(self) -> None:
        while True:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._report_due.wait(), self._pauses.report_s)
            self._report_due.clear()
            await self.problems.attempt('report', self._publish_report)
            await asyncio.sleep(self._pauses.least_report_s)

    async def _publish_report(self) -> None:
        self.report = await asyncio.to_thread(self._make_report)
        await self._synchronization.publish_report(self.report)

    def _make_report(self) -> Report:
        behind = [hub.behind for hub in self.hubs if hub.behind is not None]
        report = Report(
            name=self._name,
            stamp_ms=time.time_ns() // 1_000_000,
            version=self.serving,
            samples=self.scan.samples,
            trusted=self.learned.trusted,
            behind=max(behind, default=-1),
            gate=self.learned.words,
            proposals=self.asked.proposals,
            disagreements=self.asked.disagreements,
            problems=self.problems.texts,
        )
        return self._files.complete(report)

    async def _in_thread(self, part: str, work: Callable[[], Result]) -> Result | None:
        loop = asyncio.get_running_loop()

        async def run() -> Result:
            return await loop.run_in_executor(self._thread, work)

        return await self.problems.attempt(part, run)
