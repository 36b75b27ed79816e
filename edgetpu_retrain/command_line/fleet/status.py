# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command fleet status: shows the members, what each has yet to read, and the problems."""

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
from edgetpu_retrain.fleet.hub.reports import Report
from edgetpu_retrain.fleet.station.folder import StationFolder
from edgetpu_retrain.fleet.station.status import FleetStatus, MemberStatus, read_status
from edgetpu_retrain.wording import counted, one_line
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

_PERIOD_S = 2.0
# Colours that are legible on dark and on light terminals, unlike yellow.
_STYLES = {'here': 'green', 'away': 'magenta', 'never seen': 'magenta', 'unreadable': 'red'}
_UNITS = (('d', 86_400), ('h', 3600), ('min', 60), ('s', 1))
# Minimum width of a terminal in which all columns are shown, characters.
_WIDE = 110
_FIGURES = ('behind', 'model', 'own', 'trains on', 'quarantined', 'disputed')
_ONLY_WIDE = {'own', 'quarantined'}


@click.command()
@click.option('--watch', is_flag=True, help='Show it live, until Ctrl-C.')
@station_folder
@options.as_json
def status(watch: bool, folder: StationFolder) -> None:
    """
    Show when each member was last seen, how many packs it has yet to read, and all problems.

    The figures come from the hub on this machine, which must be running.
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
    """Show the status periodically; while the hub cannot be reached, show the reason."""
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
    Return a status as lines and a table for a terminal.

    Args:
        status: the status.
        width: width of the terminal, characters.
    """
    fill = status.fill
    head = (
        f'Hub {status.url}: {counted(fill.messages, "pack", "packs")}, last {fill.last_sequence}; '
        f'{size_in_words(fill.num_bytes)} of {size_in_words(fill.max_bytes)} '
        f'({100 * fill.share:.0f} %)'
    )
    trainings = [
        f'{each.member.name}: {each.report.gate}'
        for each in status.members
        if each.report is not None and each.report.gate
    ]
    return Group(
        Text(one_line(head), 'bold'),
        _table(status, is_wide=width >= _WIDE),
        *(Text(one_line(training)) for training in trainings),
        *(Text(one_line(f'! {problem}'), 'red') for problem in status.problems()),
    )


def _table(status: FleetStatus, *, is_wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style='bold')
    figures = [name for name in _FIGURES if is_wide or name not in _ONLY_WIDE]
    for name, width in (('member', 20 if is_wide else 14), ('roles', 16 if is_wide else 12)):
        table.add_column(name, overflow='ellipsis', no_wrap=True, max_width=width)
    table.add_column('seen', no_wrap=True)
    for name in figures:
        table.add_column(name, justify='right', no_wrap=True)
    for each in status.members:
        values = {} if each.report is None else _figures(each.report)
        roles = ', '.join(sorted(each.member.roles - {'read'})) or 'read'
        table.add_row(
            Text(one_line(each.member.name)),
            Text(roles),
            _seen(status, each),
            *(Text(values.get(name, '')) for name in figures),
        )
    return table


def _figures(report: Report) -> dict[str, str]:
    return {
        'behind': '?' if report.behind < 0 else str(report.behind),
        'model': str(report.version or '-'),
        'own': str(report.samples),
        'trains on': str(report.trusted),
        'quarantined': str(report.quarantine),
        'disputed': str(report.disagreements),
    }


def _seen(status: FleetStatus, each: MemberStatus) -> Text:
    state = status.state(each)
    words = state
    if state in {'here', 'away'} and each.received_ms is not None:
        words = _ago(status.now_ms - each.received_ms)
    return Text(words, _STYLES.get(state, 'dim'))


def _ago(milliseconds: int) -> str:
    """
    Return how long ago something was, as text.

    >>> _ago(1_500), _ago(7_300_000)
    ('1 s ago', '2 h ago')
    """
    seconds = max(0, milliseconds // 1000)
    unit, length = next(each for each in _UNITS if seconds >= each[1] or each[1] == 1)
    return f'{seconds // length} {unit} ago'
