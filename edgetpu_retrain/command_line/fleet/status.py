# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command fleet status: who is in the fleet, how far behind, and what is wrong."""

from __future__ import annotations

import asyncio
import contextlib

import click
from edgetpu_retrain.command_line import options
from edgetpu_retrain.command_line.fleet.options import (
    known_roster,
    size_in_words,
    station_folder,
    use_hub,
)
from edgetpu_retrain.command_line.output import AS_JSON, emit
from edgetpu_retrain.errors import HubError
from edgetpu_retrain.fleet.hub.connection import connect
from edgetpu_retrain.fleet.station.folder import StationFolder
from edgetpu_retrain.fleet.station.status import FleetStatus, MemberStatus, read_status
from edgetpu_retrain.wording import counted, one_line
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

_PERIOD_S = 2.0
_STYLES = {'here': 'green', 'away': 'yellow', 'never seen': 'yellow'}
_UNITS = (('d', 86_400), ('h', 3600), ('min', 60), ('s', 1))
_WIDE = 100


@click.command()
@click.option('--watch', is_flag=True, help='Show it live, until Ctrl-C.')
@station_folder
@options.as_json
def status(watch: bool, folder: StationFolder) -> None:
    """
    Show the members of the fleet: who was seen when, how far behind, and what is wrong.

    It asks the hub that runs on this machine.
    """
    if watch and not click.get_current_context().meta[AS_JSON]:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_watch(folder))
        return
    roster = known_roster(folder)
    found = use_hub(folder, lambda hub: read_status(hub, roster))
    if click.get_current_context().meta[AS_JSON]:
        emit(found.to_json())
    else:
        console = Console(highlight=False)
        console.print(drawing(found, console.width))


async def _watch(folder: StationFolder) -> None:
    """Show the status again and again; a hub that is away is shown as such."""
    console = Console(highlight=False)
    with Live(console=console, auto_refresh=False) as live:
        while True:
            live.update(await _next_picture(folder, console.width), refresh=True)
            await asyncio.sleep(_PERIOD_S)


async def _next_picture(folder: StationFolder, width: int) -> Group | Text:
    try:
        hub = await connect(folder.settings().local_url, folder.credentials())
        try:
            return drawing(await read_status(hub, known_roster(folder)), width)
        finally:
            await hub.close()
    except HubError as error:
        return Text(one_line(error), 'red')


def drawing(status: FleetStatus, width: int) -> Group:
    """
    Return a status for a terminal.

    Args:
        status: the status.
        width: width of the terminal, characters.
    """
    fill = status.fill
    head = (
        f'Hub {status.url}: {counted(fill.messages, "pack", "packs")}, '
        f'{size_in_words(fill.num_bytes)} of {size_in_words(fill.max_bytes)} '
        f'({100 * fill.share:.0f} %), last number {fill.last_sequence}'
    )
    is_wide = width >= _WIDE
    trainings = [
        f'{each.member.name}: {each.report.gate}'
        for each in status.members
        if each.report is not None and each.report.gate
    ]
    return Group(
        Text(one_line(head), 'bold'),
        _table(status, is_wide=is_wide),
        *(Text(one_line(training)) for training in trainings if not is_wide),
        *(Text(one_line(f'! {problem}'), 'red') for problem in status.problems()),
    )


def _table(status: FleetStatus, *, is_wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style='bold')
    table.add_column('member', overflow='ellipsis', no_wrap=True, max_width=20)
    table.add_column('roles', overflow='ellipsis', no_wrap=True, max_width=16)
    table.add_column('seen', no_wrap=True)
    for name in ('behind', 'model', 'own', 'trains on', 'doubted', 'disputed'):
        if is_wide or name != 'own':
            table.add_column(name, justify='right', no_wrap=True)
    if is_wide:
        table.add_column('last training', overflow='ellipsis', no_wrap=True, ratio=1)
    for each in status.members:
        table.add_row(*_row(status, each, is_wide=is_wide))
    return table


def _row(status: FleetStatus, each: MemberStatus, *, is_wide: bool) -> list[Text]:
    state, report = status.state(each), each.report
    roles = ', '.join(sorted(each.member.roles - {'read'})) or 'read'
    seen = state
    if state in {'here', 'away'} and each.received_ms is not None:
        seen = _ago(status.now_ms - each.received_ms)
    cells = [Text(one_line(each.member.name)), Text(roles), Text(seen, _STYLES.get(state, 'dim'))]
    if report is None:
        return cells
    behind = '?' if report.behind < 0 else str(report.behind)
    figures = [
        behind,
        str(report.version or '-'),
        *([str(report.samples)] if is_wide else []),
        str(report.trusted),
        str(report.quarantine),
        str(report.disagreements),
    ]
    cells += [Text(figure) for figure in figures]
    return cells + ([Text(one_line(report.gate))] if is_wide else [])


def _ago(milliseconds: int) -> str:
    """
    Return how long ago something was, as text.

    >>> _ago(1_500), _ago(7_300_000)
    ('1 s ago', '2 h ago')
    """
    seconds = max(0, milliseconds // 1000)
    unit, length = next(each for each in _UNITS if seconds >= each[1] or each[1] == 1)
    return f'{seconds // length} {unit} ago'
