# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A station whose disk or ledger fails, and what its report says: it goes on, and tries again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub.connection import connect, Hub
from edgetpu_retrain.fleet.hub.ledger_report import ledger_report
from edgetpu_retrain.fleet.hub.reports import read_reports, Report
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.robot.node_settings import space_of
from edgetpu_retrain.fleet.roster import roster_message
from edgetpu_retrain.fleet.roster.roster import Member
from edgetpu_retrain.fleet.station import folder as folder_module
from edgetpu_retrain.fleet.station import station as station_module
from edgetpu_retrain.fleet.station.credentials import Credentials
from edgetpu_retrain.fleet.station.folder import StationFolder
from edgetpu_retrain.fleet.station.private_file import write_private
from edgetpu_retrain.fleet.station.roster_changes import add_member, remove_member
from edgetpu_retrain.fleet.station.settings import Settings
from edgetpu_retrain.fleet.station.station import LEDGER_FILE, Station
from edgetpu_retrain.processes.free_port import free_port
import pytest
from support.hub_network import run, until
from support.running_station import Robot

FULL = 'no space left on device'


class Base:
    """A base station in this process."""

    def __init__(self, path: Path) -> None:
        self.folder = StationFolder(path)
        self.folder.make_base(Settings(('localhost',), '127.0.0.1', free_port(), 1 << 30))
        self.space = space_of(default_extractor_path().read_bytes())
        self.log: list[str] = []

    def newer_roster(self, version: int) -> bytes:
        """Return a roster that a hub could send."""
        present = self.folder.roster()
        assert present is not None
        return roster_message.sign(replace(present, version=version), self.folder.fleet_key())

    @property
    def version(self) -> int:
        """Version of the roster in the folder."""
        roster = self.folder.roster()
        return 0 if roster is None else roster.version

    def add(self, name: str) -> Credentials:
        """Add a teacher."""
        key = Key.generate()
        member = Member(key.public, name, frozenset({'read', 'teach'}))
        self.folder.change_roster(lambda roster: add_member(roster, member))
        credentials = self.folder.member_credentials(name, key, ())
        return replace(credentials, url=self.folder.settings().local_url)

    def logged(self, text: str) -> int:
        """Return how many lines of the log have a text."""
        return sum(text in line for line in self.log)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Hub]:
        """Run the station, and yield a connection with its key."""
        self.log.clear()
        station = Station(self.folder, self.space, None, self.log.append)
        task = asyncio.create_task(station.run())
        try:
            await until(lambda: task.done() or self.logged('the hub is ready') > 0)
            hub = await connect(self.folder.settings().local_url, self.folder.credentials())
            yield hub
            await hub.close()
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            station.close()


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Base:
    monkeypatch.setattr(station_module, '_REPORT_S', 0.1)
    monkeypatch.setattr(station_module, '_ERASE_S', 0.1)
    return Base(tmp_path / 'base')


async def report_that(hub: Hub, is_wanted: Callable[[Report], bool]) -> Report:
    """Wait for a report of the station, and return it."""
    found: list[Report] = []

    async def look() -> bool:
        reports = [each.report for each in await read_reports(hub) if each.key == hub.key]
        found.extend(each for each in reports if each is not None and is_wanted(each))
        return bool(found)

    await until(look)
    return found[0]


def has_problem(text: str) -> Callable[[Report], bool]:
    return lambda report: any(text in each for each in report.problems)


class FullDisk:
    """Fails to write some files until there is room."""

    def __init__(self, name: str) -> None:
        self.has_room = False
        self.failures = 0
        self._name = name

    def write(self, path: Path, content: bytes) -> None:
        """Write a file if its name is another one or there is room."""
        if path.name == self._name and not self.has_room:
            self.failures += 1
            raise StoreError(FULL)
        write_private(path, content)


def test_a_roster_is_adopted_once_there_is_room(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(base.folder.roster_file.name)
    monkeypatch.setattr(folder_module, 'write_private', disk.write)

    async def scenario() -> None:
        async with base.running() as hub:
            await hub.publish(f'roster.{hub.key}', base.newer_roster(9), '')
            await until(lambda: disk.failures > 2)
            await report_that(hub, has_problem(FULL))
            assert (base.version, base.logged(FULL)) == (1, 1)
            disk.has_room = True
            await until(lambda: base.version == 9)
            await report_that(hub, lambda report: not has_problem(FULL)(report))

    run(scenario())
    assert base.logged('roster: works again') == 1


def test_a_roster_that_only_the_ledger_has_is_adopted_at_the_next_start(base: Base) -> None:
    credentials = base.folder.credentials()
    base.folder.data.mkdir(mode=0o700)
    with Ledger(
        base.folder.data / LEDGER_FILE,
        base.space,
        me=credentials.key.public,
        fleet=credentials.fleet,
    ) as ledger:
        ledger.set_roster(base.newer_roster(9))

    async def scenario() -> None:
        async with base.running():
            await until(lambda: base.version == 9)

    run(scenario())


def test_a_configuration_that_cannot_be_written_does_not_end_the_hub(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(base.folder.configuration.name)

    async def scenario() -> None:
        async with base.running() as hub:
            monkeypatch.setattr(station_module, 'write_private', disk.write)
            ada = base.add('ada')
            await until(lambda: disk.failures > 2)
            await report_that(hub, has_problem(FULL))
            assert base.logged(FULL) == 1
            disk.has_room = True
            await until(lambda: base.logged('Reloaded server configuration') > 0)
            await (await connect(ada.url, ada)).close()

    run(scenario())


def test_a_configuration_is_loaded_even_if_its_folder_could_not_be_synchronized(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[Path] = []

    def write_and_fail_once(path: Path, content: bytes) -> None:
        write_private(path, content)
        if not failures:
            failures.append(path)
            raise StoreError('input/output error')

    async def scenario() -> None:
        async with base.running():
            monkeypatch.setattr(station_module, 'write_private', write_and_fail_once)
            base.add('ada')
            await until(lambda: base.logged('Reloaded server configuration') > 0)

    run(scenario())
    assert failures == [base.folder.configuration]


@pytest.mark.parametrize('method', ['set_roster', 'hub', 'quarantine'])
def test_a_ledger_that_fails_does_not_end_the_hub(
    base: Base, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def fail(*_: object) -> Any:
        raise StoreError(FULL)

    async def scenario() -> None:
        async with base.running() as hub:
            # Reports are made before: their first one has no problem.
            await report_that(hub, lambda report: not report.problems)
            with monkeypatch.context() as failing:
                failing.setattr(Ledger, method, fail)
                base.add('ada')
                if method == 'quarantine':
                    await hub.publish(f'roster.{hub.key}', base.newer_roster(9), '')
                await report_that(hub, has_problem(FULL))
            await report_that(hub, lambda report: not report.problems)

    run(scenario())


def test_retiring_a_member_ends_the_problem_of_its_fork(base: Base) -> None:
    credentials = base.add('ada')
    ada, copied_disk = Robot(credentials), Robot(credentials)

    async def scenario() -> None:
        async with base.running() as hub:
            member = await ada.connect()
            await ada.teach(member, 'mug')
            copied_disk.last = ada.last
            await ada.teach(member, 'cup')
            kept = ada.last
            await copied_disk.teach(member, 'pen')
            await copied_disk.teach(member, 'mouse')
            await member.close()
            # A report may come before all packs are read.
            forked = await report_that(hub, lambda report: report.quarantine == 3)
            assert has_problem('two packs of its key')(forked)
            assert forked.waiting == 0
            assert kept is not None
            keep = {'0' * 16: (kept.number, kept.hash)}
            base.folder.change_roster(lambda roster: remove_member(roster, ada.key.public, keep))
            report = await report_that(hub, lambda report: not report.problems)
            assert (report.quarantine, report.waiting) == (0, 0)

    run(scenario())


def test_a_change_during_a_look_at_the_ledger_is_seen_by_the_next_look(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []

    async def scenario() -> None:
        station = Station(base.folder, base.space, None, base.log.append)
        loop = asyncio.get_running_loop()

        async def change() -> None:
            station._changed('EVIDENCE')

        def look(name: str, ledger: Ledger) -> Report:
            if not looks:
                asyncio.run_coroutine_threadsafe(change(), loop).result()
            looks.append(name)
            return ledger_report(name, ledger)

        monkeypatch.setattr(station_module, 'ledger_report', look)
        for _ in range(4):
            await station._look_at_ledger()
        station.close()

    run(scenario())
    assert len(looks) == 2
