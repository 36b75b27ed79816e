# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The operator finds samples and erases them, with a real hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.command_line_types import Run
from support.hub_network import run as run_async
from support.running_station import Robot, RunningStation
from support.waiting import wait_until


def teach(robot: Robot, label: str, count: int) -> None:
    async def publish() -> None:
        hub = await robot.connect()
        await robot.teach(hub, label, count)
        await hub.close()

    run_async(publish())


def test_samples_are_listed_with_the_ids_that_erase_needs(run: Run, tmp_path: Path) -> None:
    with RunningStation(tmp_path / 'base') as station:
        station.wait_until_ready()
        teach(Robot(station.add('ada', '--role', 'teach')), 'mug', 2)
        teach(Robot(station.add('ben', '--role', 'propose')), 'cup', 1)
        folder = ('--folder', station.folder.path, '--json')

        def listed(*arguments: str) -> list[dict[str, Any]]:
            return list(run('fleet', 'samples', *arguments, *folder).result['samples'])

        wait_until(lambda: len(listed()) == 3, 0.2)
        (cup,) = listed('--label', 'cup')
        assert (cup['members'], cup['proposal']) == (['ben'], True)
        mugs = listed('--member', 'ada')
        assert [(each['label'], each['members'], each['proposal']) for each in mugs] == [
            ('mug', ['ada'], False)
        ] * 2
        assert listed('--member', 'ben') == [cup]

        run('fleet', 'erase', mugs[0]['sample'], *folder)
        wait_until(lambda: listed('--label', 'mug') == mugs[1:], 0.2)
        text = run('fleet', 'samples', *folder[:2]).out
        assert f'{cup["sample"]}  cup  ben  (proposal)' in text
        assert '2 samples.' in text
