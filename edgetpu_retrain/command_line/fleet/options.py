# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Options and functions that the commands of `fleet` share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
from datetime import datetime, timezone
import functools
from pathlib import Path
import re
import time
from typing import Any, cast, TypeVar

import click
from edgetpu_retrain.command_line import options
from edgetpu_retrain.command_line.options import Command
from edgetpu_retrain.errors import HubDeniedError, HubLostError, RequestError
from edgetpu_retrain.fleet.hub.connection import connect, Hub
from edgetpu_retrain.fleet.roster.roster import Roster
from edgetpu_retrain.fleet.station.folder import default_station_folder, StationFolder
from edgetpu_retrain.store.files.data_folder import expanded
from edgetpu_retrain.wording import quoted

Result = TypeVar('Result')

_SECONDS = {'m': 60, 'h': 3600, 'd': 86_400, 'w': 7 * 86_400, 'y': 365 * 86_400}
# Times from the year 9999 on are rejected: this is the start of that year in UTC, milliseconds
# since 1970.  9999 is the last year of datetime, so its last hours cannot be converted to all time
# zones.
_MOST_MS = 253_370_764_800_000
# nats-server reloads its configuration after each change of the members, and ends connections that
# are made at that moment: see reloadAuthorization in
# https://github.com/nats-io/nats-server/blob/main/server/reload.go
_RETRIES = 2
_RETRY_S = 1.0
_UNITS = {'B': 1, 'MB': 10**6, 'GB': 10**9, 'TB': 10**12}


def station_folder(command: Command) -> Command:
    """Add ``--folder``; the command receives it as ``folder``, a StationFolder."""

    @click.option(
        '--folder',
        type=options.PATH,
        help='Folder of the station.  [default: $ROS_HOME/edgetpu_retrain_fleet or '
        '~/.ros/edgetpu_retrain_fleet]',
    )
    @functools.wraps(command)
    def with_folder(folder: Path | None, **others: Any) -> object:
        path = expanded(folder) if folder is not None else default_station_folder()
        return command(folder=StationFolder(path.absolute()), **others)

    return cast(Command, with_folder)


def use_hub(folder: StationFolder, use: Callable[[Hub], Awaitable[Result]]) -> Result:
    """
    Call ``use`` with a connection to the hub on this machine; return the result of the call.

    If the hub denies the connection or a request, or ends the connection, all is repeated with a
    new connection, at most twice.
    """

    async def connected() -> Result:
        hub = await connect(folder.settings().local_url, folder.credentials())
        try:
            return await use(hub)
        finally:
            await hub.close()

    for _ in range(_RETRIES):
        with contextlib.suppress(HubDeniedError, HubLostError):
            return asyncio.run(connected())
        time.sleep(_RETRY_S)
    return asyncio.run(connected())


def known_roster(folder: StationFolder) -> Roster:
    """Return the roster of a station; raise RequestError if the station has none yet."""
    roster = folder.roster()
    if roster is None:
        raise RequestError(
            f'{folder.path} has no roster yet: it comes from the base when the hub runs'
        )
    return roster


def read_moment(text: str, *, later: bool) -> int:
    """
    Parse a time, and return it in milliseconds since 1970.

    Args:
        text: a date or a date with time, by default in the time zone of this machine, or a
            duration such as 90d.
        later: whether a duration is added to the current time; otherwise it is subtracted.

    Raises:
        RequestError: if the text is not a time, or the time is before 1970 or after 9998.
    """
    found = re.fullmatch(r'(\d{1,6})([mhdwy])', text)
    if found is not None:
        seconds = int(found[1]) * _SECONDS[found[2]]
        milliseconds = round(1000 * (time.time() + (seconds if later else -seconds)))
    else:
        try:
            milliseconds = round(1000 * datetime.fromisoformat(text).timestamp())
        except (ValueError, OverflowError, OSError) as error:
            raise RequestError(
                f'{quoted(text)} is not a time: give a duration such as 90d, 12h or 30m, or a '
                'date such as 2027-01-31 or 2027-01-31T12:00, in the time of this machine'
            ) from error
    if milliseconds < 0:
        raise RequestError(f'{quoted(text)} is before 1970: give a later time')
    if milliseconds >= _MOST_MS:
        raise RequestError(f'{quoted(text)} is after 9998: give an earlier time')
    return milliseconds


def moment_in_words(milliseconds: int) -> str:
    """Return milliseconds since 1970 as date and time in the time zone of this machine."""
    moment = datetime.fromtimestamp(milliseconds / 1000, timezone.utc).astimezone()
    return moment.strftime('%Y-%m-%d %H:%M')


def read_size(text: str) -> int:
    """
    Parse a size such as '50GB', and return it in bytes.

    Raises:
        RequestError: if the text is not a size from 10 MB to less than 10,000 TB.
    """
    found = re.fullmatch(r'(\d{1,9}(?:\.\d{1,3})?) ?([MGT]?B)', text, re.IGNORECASE)
    size = round(float(found[1]) * _UNITS[found[2].upper()]) if found is not None else 0
    if not 10**7 <= size < 10**16:
        raise RequestError(f'{quoted(text)} is not a size of at least 10MB: write it as 50GB')
    return size


def size_in_words(size: int) -> str:
    """
    Return a number of bytes as text, in MB, GB or TB.

    >>> size_in_words(1_500_000), size_in_words(0)
    ('1.5 MB', '0.0 MB')
    """
    unit = next((each for each in ('TB', 'GB') if size >= _UNITS[each]), 'MB')
    return f'{size / _UNITS[unit]:.1f} {unit}'
