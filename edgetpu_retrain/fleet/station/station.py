# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Station: runs the hub, lets the members of the roster connect, and is a member itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
import contextlib
from dataclasses import replace
from functools import partial
import hashlib
import json
import time
from typing import Any

from edgetpu_retrain.errors import HubError, HubLostError, RetrainError
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.hub.connection import connect, HubCredentials
from edgetpu_retrain.fleet.hub.report_relay import relay_reports
from edgetpu_retrain.fleet.hub.reports import Report
from edgetpu_retrain.fleet.hub.stream_creation import create_streams
from edgetpu_retrain.fleet.hub.streams import ROSTER
from edgetpu_retrain.fleet.hub.synchronization import Synchronization
from edgetpu_retrain.fleet.hub.tasks import cancel
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.releases.staging import ReleaseInbox
from edgetpu_retrain.fleet.station.addresses import check_port
from edgetpu_retrain.fleet.station.folder import StationFolder
from edgetpu_retrain.fleet.station.hub_erasure import erase_from_hub
from edgetpu_retrain.fleet.station.nats_server import (
    find_nats_server,
    NatsServer,
    SECONDS_TO_END,
)
from edgetpu_retrain.fleet.station.private_file import write_private
from edgetpu_retrain.fleet.station.server_configuration import (
    connecting_members,
    server_configuration,
)
from edgetpu_retrain.wording import counted

LEDGER_FILE = 'fleet.db'
_POLL_S = 0.5
_RENEW_S = 3600.0
_ERASE_S = 2.0
_REPORT_S = 10.0
_SECONDS_TO_START = 60.0
_SECONDS_TO_CANCEL = 1.0


class Station:
    """
    A running station.

    Args:
        folder: the station's folder, which this process has locked.
        space: the embedding space of the packs that the station's own member keeps.
        upstream: for a site's station, the address of the base's hub and the credentials for it;
            None = the station exchanges packs with its own hub only.
        log: called with each line for the operator.

    Raises:
        RetrainError: if the hub cannot listen, nats-server is missing or too old, or the folder or
            the ledger cannot be used.
    """

    def __init__(
        self,
        folder: StationFolder,
        space: EmbeddingSpace,
        upstream: tuple[str, HubCredentials] | None,
        log: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._settings = folder.settings()
        self._credentials = folder.credentials()
        self._log = log
        check_port(self._settings.host, self._settings.port)
        self._server = NatsServer(find_nats_server(), folder.configuration, log)
        folder.data.mkdir(mode=0o700, exist_ok=True)
        key = self._credentials.key
        self._ledger = Ledger(
            folder.data / LEDGER_FILE, space, me=key.public, fleet=self._credentials.fleet
        )
        hubs: list[tuple[str, HubCredentials]] = [(self._settings.local_url, self._credentials)]
        self._is_site = upstream is not None
        if upstream is not None:
            hubs.append(upstream)
        # The station passes releases on between hubs, but only valid ones from members with the
        # role 'release'.
        inbox = ReleaseInbox(key.public, space, lambda: self._ledger.roster)
        self._synchronization = Synchronization(
            self._ledger, key, hubs, on_change=self._changed, accept_release=inbox.accept
        )
        self._problems: dict[str, str] = {}
        self._report_of_ledger: Report | None = None

    async def run(self) -> None:
        """
        Run the hub and the station's own member until cancelled.

        Raises:
            RetrainError: if the server cannot run, or the folder or the ledger cannot be used.
        """
        self._configure()
        parts = [
            self._server.run(),
            self._follow_roster(),
            self._renew_certificate(),
            self._synchronize(),
            self._erase(),
            self._report(),
        ]
        if self._is_site:
            parts.append(self._relay_reports())
        await _first_to_end(*parts)

    def close(self) -> None:
        """Close the ledger."""
        self._ledger.close()

    def _configure(self) -> bool:
        """Write the configuration of the server, and return whether it has changed."""
        roster = self._folder.roster()
        members = connecting_members(roster, time.time_ns() // 1_000_000)
        wanted = server_configuration(
            self._folder, self._settings, self._credentials.key.public, members
        ).encode()
        path = self._folder.configuration
        if path.exists() and path.read_bytes() == wanted:
            return False
        write_private(path, wanted)
        return True

    async def _follow_roster(self) -> None:
        """Apply each change of the roster, including the expiry of a member."""
        published = None
        while True:
            if await asyncio.to_thread(self._configure):
                self._log('the members have changed: nats-server reloads its configuration')
                self._server.reload()
            message = await asyncio.to_thread(self._folder.roster_message)
            if message != published and message is not None:
                published = message
                await asyncio.to_thread(self._ledger.set_roster, message)
                self._synchronization.wake()
            await asyncio.sleep(_POLL_S)

    async def _renew_certificate(self) -> None:
        """Renew the certificate of the hub before it expires."""
        while True:
            await asyncio.sleep(_RENEW_S)
            try:
                is_new = await asyncio.to_thread(self._folder.renew_certificate)
            except RetrainError as error:  # Try again in an hour; the old certificate stays.
                self._log(f'the certificate of the hub cannot be renewed: {error}')
                continue
            if is_new:
                self._log('the certificate of the hub is renewed: nats-server reloads it')
                self._server.reload()

    async def _synchronize(self) -> None:
        await self._create_streams()
        self._log(f'the hub is ready: {self._settings.url}')
        await self._synchronization.run()

    async def _create_streams(self) -> None:
        """Create the streams as soon as the server accepts connections."""
        deadline = time.monotonic() + _SECONDS_TO_START
        while True:
            try:
                hub = await connect(self._settings.local_url, self._credentials)
            except HubError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_POLL_S)
                continue
            try:
                return await create_streams(hub, self._settings.evidence_bytes)
            except HubLostError:  # The server has ended, or reloaded its configuration.
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_POLL_S)
            finally:
                await hub.close()

    def _changed(self, stream: str) -> None:
        self._report_of_ledger = None
        message = self._ledger.roster_message if stream == ROSTER else None
        # A site's station gets the roster in this way, and a base that was restored from a backup
        # gets back a newer roster.
        if message is not None and self._folder.adopt_roster(message):
            self._log(
                'a newer roster came from a hub; if this folder was restored from a backup, look '
                "with 'edgetpu_retrain fleet status' whether later changes have to be repeated"
            )

    async def _erase(self) -> None:
        """Erase from the hub the samples that were erased in the ledger."""
        url = self._settings.local_url
        problem = ''
        while True:
            await asyncio.sleep(_ERASE_S)
            if not await asyncio.to_thread(self._ledger.hub(url).carriers):
                continue
            try:
                hub = await connect(url, self._credentials)
                try:
                    erasure = await erase_from_hub(hub, self._ledger)
                finally:
                    await hub.close()
            except HubError:
                continue  # Try again after the next pause.
            if erasure.deleted:
                packs = counted(erasure.deleted, 'pack', 'packs')
                self._log(f'samples were erased from {packs} of the hub')
            if erasure.problem not in ('', problem):
                self._log(f'samples cannot be erased from the hub: {erasure.problem}')
            problem = erasure.problem

    async def _report(self) -> None:
        """Publish a report regularly, and log when the problem of a hub changes."""
        while True:
            await asyncio.sleep(_REPORT_S)
            for hub in self._synchronization.status():
                if hub.problem != self._problems.get(hub.url, ''):
                    self._problems[hub.url] = hub.problem
                    self._log(hub.problem or f'the hub at {hub.url} is in order again')
            with contextlib.suppress(RetrainError):
                report = await asyncio.to_thread(self._make_report)
                await self._synchronization.publish_report(report)

    async def _relay_reports(self) -> None:
        """Publish the reports of this site's robots on the hub of the base."""
        url = self._settings.local_url
        publish = partial(self._synchronization.relay_report, url)
        while True:
            with contextlib.suppress(HubError):
                hub = await connect(url, self._credentials)
                try:
                    await relay_reports(hub, publish, self._is_member)
                finally:
                    await hub.close()
            await asyncio.sleep(_POLL_S)

    def _is_member(self, key: str) -> bool:
        roster = self._ledger.roster
        return roster is not None and roster.member(key) is not None

    def _make_report(self) -> Report:
        report = self._report_of_ledger
        if report is None:
            # With a million samples, this takes seconds, so do it only after a change.
            report = self._report_of_ledger = self._look_at_ledger()
        hubs = self._synchronization.status()
        problems = [each.problem for each in hubs if each.problem]
        return replace(
            report,
            stamp_ms=time.time_ns() // 1_000_000,
            behind=-1 if hubs[0].behind is None else hubs[0].behind,
            problems=(*problems, *report.problems),
        )

    def _look_at_ledger(self) -> Report:
        aside = self._ledger.quarantine()
        roster = self._ledger.roster
        names = {member.key: member.name for member in (roster.members if roster else ())}
        doubts = [
            f'{counted(each.packs, "pack", "packs")} of {names.get(each.key, each.key)}: '
            f'{each.reason}'
            for each in aside
        ]
        return Report(
            name=self._credentials.name,
            stamp_ms=0,
            frontier=self._frontier(),
            quarantine=sum(each.packs for each in aside if each.outcome == 'quarantined'),
            waiting=sum(each.packs for each in aside if each.outcome == 'waiting'),
            proposals=len(self._ledger.proposals()),
            disagreements=len(self._ledger.disagreements()),
            problems=tuple(doubts),
        )

    def _frontier(self) -> str:
        text = json.dumps(self._ledger.frontier(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


async def _first_to_end(*coroutines: Coroutine[Any, Any, None]) -> None:
    """
    Run coroutines until one ends, cancel the others, and raise the error of the one that ended.

    The first coroutine runs the server, and is cancelled last.
    """
    tasks = [asyncio.ensure_future(each) for each in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        # The server ends last, so that the others can finish their requests.
        server, *others = tasks
        await cancel(others, _SECONDS_TO_CANCEL)
        await cancel([server], 2 * SECONDS_TO_END)
    for task in done:
        task.result()
