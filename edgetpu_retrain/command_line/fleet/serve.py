# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command fleet serve: runs the hub of a fleet, or of a site that has a hub of its own."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path
import re
import shutil
import signal

import click
from edgetpu_retrain.command_line import options
from edgetpu_retrain.command_line.fleet.options import (
    read_size,
    size_in_words,
    station_folder,
)
from edgetpu_retrain.command_line.output import say
from edgetpu_retrain.command_line.workspace import read_extractor
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.fleet.robot.node_settings import space_of
from edgetpu_retrain.fleet.station.addresses import names_of_this_machine
from edgetpu_retrain.fleet.station.credentials import Credentials
from edgetpu_retrain.fleet.station.folder import StationFolder
from edgetpu_retrain.fleet.station.settings import EVERYWHERE, PORT, Settings
from edgetpu_retrain.fleet.station.station import Station
from edgetpu_retrain.wording import named, one_line

# Informational lines of nats-server's log: the start of the server, new connections.
_USUAL = re.compile(r'\[\d+\] \S+ \S+ \[INF\]')
# The default of --limit: this share of the free disk space, within these bounds in bytes.
_SHARE_OF_DISK = 0.5
_LEAST_BYTES, _MOST_BYTES = 10**9, 10**12


@click.command()
@click.option(
    '--hub-name',
    'hub_names',
    multiple=True,
    metavar='HOST',
    help='A name or address at which robots reach this machine; may be given several times, the '
    'first one goes into credentials.  [default: the names and the address of this machine]',
)
@click.option('--host', metavar='ADDRESS', help='Where to listen.  [default: all addresses]')
@click.option('--port', type=click.IntRange(1, 65535), help=f'Port of the hub.  [default: {PORT}]')
@click.option(
    '--limit',
    metavar='SIZE',
    help='How much evidence the hub keeps, such as 50GB; at the limit it takes no more, and '
    'deletes nothing.  [default: half of the free disk]',
)
@click.option(
    '--upstream',
    metavar='URL',
    help="For the hub of a site: the address of the base's hub.  Robots at the site go on while "
    'the base is away.',
)
@click.option(
    '--credentials',
    type=options.PATH,
    metavar='FILE',
    help="For the hub of a site: the file that 'fleet add NAME --role propose --hub-name HOST' "
    'wrote at the base.  The first start copies it into the folder.',
)
@click.option('--verbose', is_flag=True, help='Print everything that nats-server logs.')
@options.extractor
@station_folder
def serve(
    hub_names: tuple[str, ...],
    host: str | None,
    port: int | None,
    limit: str | None,
    upstream: str | None,
    credentials: Path | None,
    verbose: bool,
    extractor: options.NamedModel,
    folder: StationFolder,
) -> None:
    """
    Run the hub of a fleet on this machine, until Ctrl-C.

    The first start creates the folder of the station, with its keys and certificates and with the
    configuration for the installed nats-server.  Back up this folder: the folder of a base station
    has the only copy of the fleet's key.  The folder also stores the options, except --folder,
    --upstream, --extractor and --verbose, which must be given at each start.
    """
    if credentials is not None and not upstream:
        raise click.UsageError('--credentials is for the hub of a site: give --upstream as well.')
    if folder.exists():
        if credentials is not None:
            _check_credentials(folder, credentials)
    elif upstream and credentials is None:
        raise click.UsageError('--upstream needs --credentials at the first start.')
    space = space_of(read_extractor(extractor, ''))
    # A second process must not change the files of a running station.
    with folder.serving():
        settings = _settings(folder, hub_names, host, port, limit)
        _write_folder(folder, settings, upstream, credentials)
        own = folder.credentials()
        log = _print if verbose else _print_unusual
        station = Station(folder, space, (upstream, own) if upstream else None, log)
        say(
            f'robots reach the hub at {named(settings.names)}, port {settings.port}; it keeps '
            f'{size_in_words(settings.evidence_bytes)} of evidence'
        )
        with contextlib.closing(station):
            asyncio.run(_until_stopped(station))
    say('the hub has ended')


def _write_folder(
    folder: StationFolder, settings: Settings, upstream: str | None, credentials: Path | None
) -> None:
    """Make the folder of a new station, or store the settings in the one that is there."""
    if folder.exists():
        folder.write_settings(settings)
    elif credentials is not None:
        folder.make_site(settings, Credentials.read(credentials))
        say(f'this is the hub of a site of {upstream}; its folder is {folder.path}')
    else:
        folder.make_base(settings)
        say(f'this is a new fleet; back up its folder, {folder.path}, which has its key')


def _check_credentials(folder: StationFolder, credentials: Path) -> None:
    """Raise RequestError if the credentials in an existing folder are not those of the file."""
    if folder.is_base:
        raise RequestError(
            f'{folder.path} is the folder of a base station, not of a site: leave --credentials '
            'out, or give another --folder'
        )
    own = folder.credentials()
    if Credentials.read(credentials) != own:
        raise RequestError(
            f'{folder.path} has other credentials already, those of {own.name!r}: leave '
            f'--credentials out to go on with these, or move the folder away to begin with '
            f'{credentials}'
        )


def _settings(
    folder: StationFolder,
    hub_names: tuple[str, ...],
    host: str | None,
    port: int | None,
    limit: str | None,
) -> Settings:
    if folder.exists():
        settings = folder.settings()
    else:
        settings = Settings(names_of_this_machine(), EVERYWHERE[0], PORT, _default_limit(folder))
    return replace(
        settings,
        names=hub_names or settings.names,
        host=host or settings.host,
        port=port or settings.port,
        evidence_bytes=read_size(limit) if limit else settings.evidence_bytes,
    )


def _default_limit(folder: StationFolder) -> int:
    there = next(each for each in (folder.path, *folder.path.parents) if each.exists())
    half = int(_SHARE_OF_DISK * shutil.disk_usage(there).free)
    return max(_LEAST_BYTES, min(half, _MOST_BYTES))


async def _until_stopped(station: Station) -> None:
    """Run a station until SIGINT or SIGTERM."""
    task = asyncio.ensure_future(station.run())
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _print_unusual(line: str) -> None:
    if not _USUAL.match(line):
        _print(line)


def _print(line: str) -> None:
    click.echo(one_line(line), err=True)
