# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Relays the reports of a site's robots to the hub of the base."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
import time

from edgetpu_retrain.errors import FleetError
from edgetpu_retrain.fleet.hub.connection import Hub
from edgetpu_retrain.fleet.hub.reports import Report
from edgetpu_retrain.fleet.hub.stream_reader import open_reader, StreamMessage
from edgetpu_retrain.fleet.hub.streams import REPORTS, STREAMS

_PAUSE_S = 1.0
"""Pause between relays, seconds.  Each relays at most one report of each member."""

_RECENT_MS = 30_000
"""Reports older than this are not relayed, milliseconds: their members would appear online."""


async def relay_reports(
    hub: Hub,
    publish: Callable[[str, bytes], Awaitable[None]],
    is_member: Callable[[str], bool],
) -> None:
    """
    Pass on the recent reports of a hub until the connection is lost.

    Args:
        hub: a connection to the hub of the site, with the station's key.
        publish: publishes a report at the base; called with the public key of the member that the
            report is about, and the message.
        is_member: returns whether a public key is in the roster.

    Raises:
        HubError: if the connection is lost, or the hub does not let the key read reports.
    """
    reader = await open_reader(hub, REPORTS, STREAMS[REPORTS].subjects, 1)
    latest: dict[str, int] = {}
    due: dict[str, bytes] = {}
    next_s = 0.0
    while True:
        messages = await reader.read()
        oldest_ms = time.time_ns() // 1_000_000 - _RECENT_MS
        for message in messages:
            _, about, publisher = message.subject.split('.')
            if publisher == hub.key or not is_member(about):
                continue
            stamp_ms = _stamp_of(message, about)
            if stamp_ms is None or message.received_ms < oldest_ms:
                continue
            # A report that another station has relayed is passed on once, so that stations that
            # relay to each other do not do so endlessly.
            if publisher == about or stamp_ms > latest.get(about, -1):
                latest[about], due[about] = stamp_ms, message.data
        # While more messages wait, read on without a pause: a member that publishes very many must
        # not delay the reports of others.
        if reader.behind and time.monotonic() < next_s:
            continue
        for about, report in due.items():
            await publish(about, report)
        due.clear()
        next_s = time.monotonic() + _PAUSE_S
        if not reader.behind:
            await asyncio.sleep(_PAUSE_S)


def _stamp_of(message: StreamMessage, about: str) -> int | None:
    """Return the time of a report; None if it is not valid or its member did not sign it."""
    try:
        return Report.decode(message.data, about).stamp_ms
    except FleetError:
        return None
