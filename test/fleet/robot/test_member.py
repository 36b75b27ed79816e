# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Each part of a member fails on its own, says why, and works again; the others go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
import contextlib
from pathlib import Path
import sqlite3

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub.connection import connect
from edgetpu_retrain.fleet.hub.reports import read_reports
from edgetpu_retrain.fleet.robot.learner import Learned
from edgetpu_retrain.fleet.robot.member import Member
from edgetpu_retrain.fleet.robot.pauses import Pauses
from edgetpu_retrain.fleet.robot.robot_files import RobotFiles
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
import pytest
from support.fleet_members import FLEET
from support.fleet_robots import embedding, EXTRACTOR, QUANTIZATION, SPACE
from support.hub_network import run, until
from support.hub_server import HubServer, TestCredentials
from support.online_member import prepare, roster_of

SOON = Pauses(0.02, 0.05, 0.02, 0.1, 1.0, 0.2, 0.02)
ADA, BOB = Key.generate(), Key.generate()


class Lessons:
    """Counts how often a member learns, and fails as often as a test wants."""

    accept_release = None
    rejection = 'a new head was rejected at 2026-11-29 18:02 UTC: it is worse'

    def __init__(self, *, needs_evidence: bool) -> None:
        self.needs_evidence = needs_evidence
        self.count = 0
        self.failures = 0
        self.wrong_version = -1

    async def learn(self) -> Learned:
        self.count += 1
        if self.failures:
            self.failures -= 1
            raise StoreError('the training ended without a result')
        return Learned(f'lesson {self.count} is learned', self.count, 7)

    def problem_of(self, version: int) -> str:
        return f'version {version} is wrong' if version == self.wrong_version else ''


class Robot:
    """A member with its samples and its log."""

    def __init__(
        self,
        folder: Path,
        key: Key,
        hub: HubServer,
        *,
        needs_evidence: bool = True,
        pauses: Pauses = SOON,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.log: list[str] = []
        self.lessons = Lessons(needs_evidence=needs_evidence)
        with SampleStore(folder / 'samples.db'):
            pass
        self.files = RobotFiles(folder, SPACE, key.public, FLEET.public)
        self.files.ledger.set_roster(roster_of([ADA, BOB]))
        credentials = TestCredentials(key.seed)
        self.member = Member(
            folder.name,
            key,
            [(hub.url, credentials)],
            self.files,
            self.lessons,
            lambda severity, words: self.log.append(f'{severity}: {words}'),
            pauses,
        )

    def teach(self, label: str, number: int) -> None:
        with SampleStore(self.folder / 'samples.db') as samples:
            samples.add(
                [Sample(label, {EXTRACTOR: embedding(number)}, recording='first')],
                {EXTRACTOR: QUANTIZATION},
            )

    def knows(self, count: int) -> Callable[[], bool]:
        """Return a condition: so many samples of the fleet are here."""
        return lambda: len(self.files.ledger.evidence(own=True)) == count

    def has_problem(self, words: str) -> Callable[[], bool]:
        return lambda: any(words in each for each in self.member.problems.texts)

    def has_none(self) -> bool:
        return not self.member.problems.texts


@contextlib.asynccontextmanager
async def members(*robots: Robot) -> AsyncIterator[None]:
    """Run members until the end of the block."""
    tasks = [asyncio.create_task(each.member.run()) for each in robots]
    try:
        yield
        assert not [task for task in tasks if task.done()]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for each in robots:
            each.files.close()


@pytest.fixture
def hub(tmp_path: Path) -> HubServer:
    return HubServer(tmp_path / 'hub', {ADA.public: ['teach'], BOB.public: ['teach']})


def test_what_one_is_taught_the_other_learns_and_the_station_hears(
    hub: HubServer, tmp_path: Path
) -> None:
    async def live() -> None:
        await prepare(hub)
        ada, bob = Robot(tmp_path / 'ada', ADA, hub), Robot(tmp_path / 'bob', BOB, hub)
        async with members(ada, bob):
            ada.teach('cup', 1)
            await until(bob.knows(1))
            bob.teach('mug', 1)
            await until(lambda: ada.member.asked.questions == bob.member.asked.questions == 1)
            lessons = ada.lessons.count
            bob.teach('jug', 2)
            await until(ada.knows(2))
            await until(lambda: ada.lessons.count > lessons)
            station = await connect(hub.url, hub.station_credentials)

            async def is_reported() -> bool:
                reports = {each.key: each.report for each in await read_reports(station)}
                mine = reports.get(ADA.public)
                other = reports.get(BOB.public)
                return bool(
                    mine
                    and other
                    and (mine.name, mine.samples, mine.trusted) == ('ada', 1, 7)
                    and mine.frontier == other.frontier
                    and (mine.behind, mine.unpublished, mine.disagreements) == (0, 0, 1)
                )

            await until(is_reported)
            await station.close()
            await until(ada.has_none)
        assert any('is learned' in line for line in ada.log)

    with hub:
        run(live())


def test_one_that_takes_releases_sends_its_samples_and_receives_none(
    hub: HubServer, tmp_path: Path
) -> None:
    async def live() -> None:
        await prepare(hub)
        ada = Robot(tmp_path / 'ada', ADA, hub)
        bob = Robot(tmp_path / 'bob', BOB, hub, needs_evidence=False)
        async with members(ada, bob):
            ada.teach('cup', 1)
            await until(ada.knows(1))
            await until(lambda: not ada.files.ledger.unsealed_count)
            bob.teach('mug', 2)
            await until(ada.knows(2))
            assert bob.knows(1)()

    with hub:
        run(live())


def test_without_a_hub_it_goes_on_and_catches_up(hub: HubServer, tmp_path: Path) -> None:
    async def live() -> None:
        await prepare(hub)
        ada, bob = Robot(tmp_path / 'ada', ADA, hub), Robot(tmp_path / 'bob', BOB, hub)
        hub.kill()
        async with members(ada, bob):
            ada.teach('cup', 1)
            await until(ada.knows(1))
            await until(ada.has_problem(hub.url))
            await until(lambda: ada.lessons.count > 0)
            hub.start()
            await until(bob.knows(1))
            await until(ada.has_none)

    with hub:
        run(live())


def test_claims_that_a_full_hub_refuses_are_reported_as_unpublished(
    hub: HubServer, tmp_path: Path
) -> None:
    async def live() -> None:
        await prepare(hub, evidence_bytes=1)
        ada = Robot(tmp_path / 'ada', ADA, hub)
        async with members(ada):
            for number in (1, 2, 3):
                ada.teach('cup', number)
            await until(ada.has_problem('is full'))
            await until(lambda: ada.member.report.unpublished == 3)
            await until(lambda: not ada.files.ledger.unsealed_count)
            await prepare(hub)
            await until(lambda: ada.member.report.unpublished == 0)

    with hub:
        run(live())


def test_an_unusable_database_delays_only_its_own_samples(hub: HubServer, tmp_path: Path) -> None:
    async def live() -> None:
        await prepare(hub)
        ada, bob = Robot(tmp_path / 'ada', ADA, hub), Robot(tmp_path / 'bob', BOB, hub)
        async with members(ada, bob):
            ada.teach('cup', 1)
            await until(bob.knows(1))
            content = (ada.folder / 'samples.db').read_bytes()
            ada.teach('cup', 2)
            await until(bob.knows(2))
            for each in ada.folder.glob('samples.db*'):
                each.unlink()
            (ada.folder / 'samples.db').write_bytes(b'no database' * 1000)
            await until(ada.has_problem('samples.db'))
            bob.teach('mug', 3)
            await until(ada.knows(3))
            (ada.folder / 'samples.db').write_bytes(content)
            await until(ada.has_none)
            ada.teach('cup', 4)
            await until(bob.knows(4))
        assert any('was replaced' in line for line in ada.log)

    with hub:
        run(live())


def test_a_failed_training_is_tried_again(hub: HubServer, tmp_path: Path) -> None:
    async def live() -> None:
        await prepare(hub)
        ada = Robot(tmp_path / 'ada', ADA, hub)
        ada.lessons.failures = 2
        async with members(ada):
            await until(lambda: ada.lessons.count > 2)
            await until(ada.has_none)
        failed = [line for line in ada.log if 'ended without a result' in line]
        assert len(failed) == 1, 'the same problem is logged once'

    with hub:
        run(live())


def test_a_training_that_fails_for_days_is_tried_again(hub: HubServer, tmp_path: Path) -> None:
    async def live() -> None:
        await prepare(hub)
        at_once = Pauses(10.0, 0.0, 0.0, 0.0, 0.0, 100.0, 100.0)
        ada = Robot(tmp_path / 'ada', ADA, hub, pauses=at_once)
        # More than the exponents of a float.
        ada.lessons.failures = 1100
        async with members(ada):
            await until(lambda: ada.lessons.count > 1100)

    with hub:
        run(live())


def test_a_problem_of_the_version_that_serves_is_reported(hub: HubServer, tmp_path: Path) -> None:
    async def live() -> None:
        await prepare(hub)
        ada = Robot(tmp_path / 'ada', ADA, hub)
        async with members(ada):
            await until(lambda: ada.lessons.count > 0)
            ada.lessons.wrong_version = ada.member.serving
            await until(ada.has_problem('version 0 is wrong'))
            await until(lambda: 'version 0 is wrong.' in ada.member.report.problems)
            ada.lessons.wrong_version = 1
            await until(ada.has_none)

    with hub:
        run(live())


def test_a_rejection_before_a_restart_is_reported(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def live() -> None:
        await prepare(hub)
        ada = Robot(tmp_path / 'ada', ADA, hub)

        async def learn() -> Learned:
            ada.lessons.count += 1
            return Learned('')

        monkeypatch.setattr(ada.lessons, 'learn', learn)
        async with members(ada):
            await until(lambda: ada.lessons.count > 0 and bool(ada.member.report.stamp_ms))
            assert ada.member.report.gate == Lessons.rejection
            assert ada.member.summary()[1]['last training'] == Lessons.rejection
        assert not [line for line in ada.log if Lessons.rejection in line]

    with hub:
        run(live())


def test_a_training_is_ended_before_the_member_is(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[bool] = []

    async def live() -> None:
        await prepare(hub)
        ada, began = Robot(tmp_path / 'ada', ADA, hub), asyncio.Event()

        async def learn() -> Learned:
            try:
                began.set()
                await asyncio.Event().wait()
            finally:
                # As for a killed child process.
                for _ in range(100):
                    await asyncio.sleep(0)
                ended.append(True)
            return Learned('')

        monkeypatch.setattr(ada.lessons, 'learn', learn)
        async with members(ada):
            await began.wait()
        assert ended

    with hub:
        run(live())


def test_a_broken_ledger_keeps_nothing_else_from_working(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def live() -> None:
        await prepare(hub)
        ada, bob = Robot(tmp_path / 'ada', ADA, hub), Robot(tmp_path / 'bob', BOB, hub)
        async with members(ada, bob):
            with monkeypatch.context() as full:
                error = sqlite3.OperationalError('database or disk is full')

                def fail(*_: object) -> None:
                    raise StoreError(f'Cannot store claims in fleet.db: {error}.')

                full.setattr(ada.files.ledger, 'claim', fail)
                ada.teach('cup', 1)
                await until(ada.has_problem('disk is full'))
                bob.teach('mug', 2)
                await until(ada.knows(1))
            await until(bob.knows(2))
            await until(ada.has_none)

    with hub:
        run(live())
