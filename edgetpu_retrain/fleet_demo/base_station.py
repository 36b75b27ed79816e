# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""BaseStation: reads the status of the fleet, and revokes members, as its operator would."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
import threading

from edgetpu_retrain.command_line.fleet.status import drawing
from edgetpu_retrain.errors import RetrainError
from edgetpu_retrain.fleet.hub.connection import connect
from edgetpu_retrain.fleet.hub.reports import Report
from edgetpu_retrain.fleet.station.folder import StationFolder
from edgetpu_retrain.fleet.station.status import FleetStatus, read_status
from edgetpu_retrain.fleet_demo.programs import run_fleet_command
from rich.console import RenderableType
from rich.text import Text

_READ_PERIOD_S = 0.5


class BaseStation(contextlib.AbstractContextManager['BaseStation']):
    """
    Reads the status of the fleet periodically in a thread, and runs the operator's commands.

    Args:
        folder: the folder of the base station.
        log_folder: folder for the output of the commands.
    """

    def __init__(self, folder: Path, log_folder: Path) -> None:
        self._folder = StationFolder(folder)
        self._log_folder = log_folder
        self._status: FleetStatus | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name='status', daemon=True)

    def __enter__(self) -> BaseStation:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    @property
    def reports(self) -> list[Report]:
        """The last report of each member that may connect; [] before the first status."""
        status = self._status
        members = () if status is None else status.members
        return [each.report for each in members if each.report and each.member.may_connect]

    @property
    def last_sequence(self) -> int:
        """Number of the last pack in the hub's stream; 0 before the first status."""
        status = self._status
        return 0 if status is None else status.fill.last_sequence

    def table(self, width: int) -> RenderableType:
        """
        Return the output of ``edgetpu_retrain fleet status``, or a text before the first status.

        Args:
            width: width of the output, characters.
        """
        status = self._status
        return Text('the hub starts') if status is None else drawing(status, width)

    def revoke(self, name: str, since_sequence: int) -> None:
        """
        Revoke a member; only its packs before a number in the hub's stream still count.

        Args:
            name: name of the member.
            since_sequence: number of the first pack that does not count.

        Raises:
            ProgramError: if the command fails.
        """
        arguments = ('revoke', name, '--since-sequence', str(since_sequence))
        run_fleet_command(arguments, self._folder.path, self._log_folder)

    def _watch(self) -> None:
        asyncio.run(self._read_again_and_again())

    async def _read_again_and_again(self) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(RetrainError):
                await self._read_while_connected()
            await asyncio.sleep(_READ_PERIOD_S)

    async def _read_while_connected(self) -> None:
        hub = await connect(self._folder.settings().local_url, self._folder.credentials())
        try:
            while not self._ending.is_set():
                if (roster := self._folder.roster()) is not None:
                    self._status = await read_status(hub, roster)
                await asyncio.sleep(_READ_PERIOD_S)
        finally:
            await hub.close()
