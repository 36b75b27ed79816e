# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The fleet process beside a retrain node, and a hub with a roster."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
import sys

from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub.connection import connect
from edgetpu_retrain.fleet.hub.stream_creation import create_streams
from edgetpu_retrain.fleet.roster.roster import Member, Roster
from edgetpu_retrain.fleet.roster.roster_message import sign
from edgetpu_retrain.fleet.station.credentials import Credentials
from support.fleet_members import FLEET
from support.hub_server import HubServer
from support.running_program import RunningProgram

_EVIDENCE_BYTES = 64 << 20


class FleetProgram(RunningProgram):
    """
    The fleet process of a robot.

    Args:
        python_path: PYTHONPATH of the process.
        namespace: namespace of the robot, such as '/ada'.
        parameters: name of a parameter to its value, as on the command line.
        environment: changes to the environment of this process.
    """

    def __init__(
        self,
        python_path: str,
        namespace: str,
        parameters: Mapping[str, object],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        given = [part for name, value in parameters.items() for part in ('-p', f'{name}:={value}')]
        remapped = ('-r', f'__ns:={namespace}')
        super().__init__(
            [sys.executable, '-m', 'edgetpu_retrain.fleet.main', '--ros-args', *remapped, *given],
            {'PYTHONPATH': python_path, **(environment or {})},
        )


@contextmanager
def running_hub(folder: Path, roles: Mapping[str, str]) -> Iterator[dict[str, dict[str, object]]]:
    """
    Run a hub that has a roster; yield parameters for the fleet process of each robot.

    Args:
        folder: for the hub and the credentials.
        roles: role of each robot, by its name.
    """
    keys = {name: Key.generate() for name in roles}
    members = {keys[name].public: [role] for name, role in roles.items()}
    listed = tuple(
        Member(keys[name].public, name, frozenset({'read', role})) for name, role in roles.items()
    )
    roster = sign(Roster(FLEET.public, 1, 1_700_000_000_000, listed), FLEET)

    async def prepare(hub: HubServer) -> None:
        station = await connect(hub.url, hub.station_credentials)
        try:
            await create_streams(station, _EVIDENCE_BYTES)
            await station.publish(f'roster.{station.key}', roster, 'roster 1')
        finally:
            await station.close()

    with HubServer(folder / 'hub', members) as hub:
        asyncio.run(prepare(hub))
        parameters: dict[str, dict[str, object]] = {}
        for name, key in keys.items():
            file = folder / f'{name}.json'
            Credentials(name, key.seed, FLEET.public, hub.url, '').write(file)
            parameters[name] = {'fleet': hub.url, 'credentials': file}
        yield parameters
