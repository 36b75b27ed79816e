# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command group `fleet`, for use at a station of a fleet."""

from __future__ import annotations

import logging

import click


class _FleetCommands(click.Group):
    """A group that imports its commands on first use, because they need optional libraries."""

    def list_commands(self, context: click.Context) -> list[str]:
        self._import()
        return super().list_commands(context)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        self._import()
        return super().get_command(context, name)

    def _import(self) -> None:
        # Log only errors: asyncio warns about each TLS connection that the peer closes.
        logging.getLogger('asyncio').setLevel(logging.ERROR)
        from edgetpu_retrain.command_line.fleet import (
            members,
            releases,
            removal,
            samples,
            serve,
            status,
        )

        for command in (
            serve.serve,
            members.add,
            members.change,
            removal.revoke,
            removal.retire,
            samples.samples,
            removal.erase,
            releases.release,
            releases.promote,
            status.status,
        ):
            self.add_command(command)


@click.command(cls=_FleetCommands)
def fleet() -> None:
    """
    Run the hub of a fleet, and manage the members of the fleet.

    A robot joins with the file that `add` writes; see docs/fleet.md.  The commands work on the
    folder of the station (--folder).  A running hub applies each change at once.
    """
