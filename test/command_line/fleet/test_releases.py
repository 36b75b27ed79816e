# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Releases by the operator's commands, with a real hub."""

from __future__ import annotations

from pathlib import Path

from edgetpu_retrain.command_line.fleet import releases
from edgetpu_retrain.fleet.hub.stream_reader import open_reader
from edgetpu_retrain.fleet.hub.streams import RELEASES
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.releases.release import decode, Promotion, Release
from edgetpu_retrain.fleet.releases.staging import newest_for
from edgetpu_retrain.fleet.station.station import LEDGER_FILE
import pytest
from support.command_line_types import Run
from support.hub_network import run as run_async
from support.running_station import Robot, RunningStation
from support.waiting import wait_until


def teach(robot: Robot) -> None:
    async def publish() -> None:
        hub = await robot.connect()
        for label in ('mug', 'cup'):
            await robot.teach(hub, label, 12)
        await hub.close()

    run_async(publish())


def published(robot: Robot, station: RunningStation) -> list[Release | Promotion]:
    """Return what a robot reads of the stream of releases."""
    roster = station.folder.roster()
    assert roster is not None

    async def read() -> list[Release | Promotion]:
        hub = await robot.connect()
        reader = await open_reader(hub, RELEASES, f'release.{robot.space.token}.*', 1)
        found = []
        while reader.behind:
            found += [decode(each.data, roster, robot.space) for each in await reader.read()]
        await hub.close()
        return found

    return run_async(read())


def test_a_head_is_released_promoted_and_withdrawn(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RunningStation(tmp_path / 'base') as station:
        ada = Robot(station.wait_until_ready().add('ada', '--role', 'teach'))
        folder = ('--folder', station.folder.path)
        for which in ('latest', 'ffffff'):
            assert run('fleet', 'promote', which, *folder).problem == (
                'error: the hub has no release for this extractor: make one with '
                "'edgetpu_retrain fleet release'."
            )
        teach(ada)
        path = station.folder.data / LEDGER_FILE

        def has_all() -> bool:
            with Ledger(path, ada.space, fleet=ada.credentials.fleet) as ledger:
                return len(ledger.evidence(own=False).ids) == 24

        wait_until(has_all, 0.2)
        made = run('fleet', 'release', '--share', 0, *folder, '--json').result
        assert (sorted(made['labels']), made['samples']) == (['cup', 'mug'], 24)
        assert newest_for(ada.key.public, published(ada, station)) is None
        promoted = run('fleet', 'promote', made['release'][:12], *folder)
        assert '2 classes, 24 samples' in promoted.out
        assert '100.0 % of the robots take it' in promoted.out
        newest = newest_for(ada.key.public, published(ada, station))
        assert newest is not None
        assert newest.id == made['release']
        run('fleet', 'promote', 'latest', '--share', 0, *folder)
        assert newest_for(ada.key.public, published(ada, station)) is None
        # The clock is set back.
        monkeypatch.setattr(releases, '_now_ms', lambda: 1_700_000_000_000)
        for command in (('promote', 'latest'), ('release', '--share', 1)):
            told = run('fleet', *command, *folder, '--json').result['release']
            newest = newest_for(ada.key.public, published(ada, station))
            assert newest is not None
            assert newest.id == told
        refused = run('fleet', 'promote', 'x', *folder).problem
        assert f"begins with 'x'; the newest are {made['release'][:12]}" in refused
        run('fleet', 'release', *folder)
        refused = run('fleet', 'promote', '', *folder).problem
        assert f"begin with '', such as {made['release'][:12]}, " in refused
        assert 'give more of the id' in refused
