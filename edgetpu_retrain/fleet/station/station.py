# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Station: runs the hub, lets the members of the roster connect, and is a member itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import contextlib
from dataclasses import replace
from functools import partial
from pathlib import Path
import time

from edgetpu_retrain.errors import HubError, HubLostError
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.hub.connection import connect, HubCredentials
from edgetpu_retrain.fleet.hub.ledger_report import ledger_report
from edgetpu_retrain.fleet.hub.report_relay import relay_reports
from edgetpu_retrain.fleet.hub.reports import Report
from edgetpu_retrain.fleet.hub.stream_creation import create_streams
from edgetpu_retrain.fleet.hub.synchronization import Synchronization
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.problems import Problems
from edgetpu_retrain.fleet.releases.staging import ReleaseInbox
from edgetpu_retrain.fleet.roster.roster import Roster
from edgetpu_retrain.fleet.station.addresses import check_port
from edgetpu_retrain.fleet.station.folder import StationFolder
from edgetpu_retrain.fleet.station.hub_erasure import erase_from_hub
from edgetpu_retrain.fleet.station.nats_server import find_nats_server, NatsServer
from edgetpu_retrain.fleet.station.private_file import write_private
from edgetpu_retrain.fleet.station.server_configuration import (
    connecting_members,
    server_configuration,
)
from edgetpu_retrain.store.files.disk_errors import as_store_error
from edgetpu_retrain.wording import counted

LEDGER_FILE = 'fleet.db'
_POLL_S = 0.5
_RENEW_S = 3600.0
_ERASE_S = 2.0
_REPORT_S = 10.0
_SECONDS_TO_START = 60.0


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
        self._roster: Roster | None = None
        # Configuration and certificate that nats-server was last told to read.
        self._loaded = b'', b''
        self._problems = Problems(lambda _, text: log(text))
        self._num_changes = 0  # How often the ledger has changed.
        # The number of changes after which the ledger was looked at, and what was found.
        self._seen: tuple[int, Report] = -1, Report(self._credentials.name, 0)

    async def run(self) -> None:
        """
        Run the hub and the station's own member until cancelled.

        Raises:
            RetrainError: if the server cannot run, or the folder cannot be used at the start.
        """
        self._configure()
        parts = [
            self._follow_roster(),
            self._keep_certificate(),
            self._synchronize(),
            self._keep_erasing(),
            self._keep_reporting(),
        ]
        if self._is_site:
            parts.append(self._relay_reports())
        await self._server.run_with(*parts)

    def close(self) -> None:
        """Close the ledger."""
        self._ledger.close()

    def _configure(self) -> bool:
        """Write the configuration of the server, and return whether the server must read it."""
        self._roster = self._folder.roster()
        members = connecting_members(self._roster, time.time_ns() // 1_000_000)
        wanted = server_configuration(
            self._folder, self._settings, self._credentials.key.public, members
        ).encode()
        certificate = _content(self._folder.certificate)
        if (wanted, certificate) == self._loaded:
            return False
        path = self._folder.configuration
        if _content(path) != wanted:
            write_private(path, wanted)
        self._loaded = wanted, certificate
        return True

    async def _follow_roster(self) -> None:
        """Apply each change of the roster, including an expiry, and of the certificate."""
        while True:
            await self._problems.attempt('members', self._update_server)
            if not await self._problems.attempt('roster', self._exchange_roster):
                await asyncio.sleep(_POLL_S)

    async def _update_server(self) -> None:
        if await asyncio.to_thread(self._configure):
            self._log('members or the certificate have changed: nats-server reads them again')
            self._server.reload()

    async def _exchange_roster(self) -> bool:
        """
        Copy the newer roster from folder to ledger or back; return whether the folder got one.

        The ledger gets rosters from hubs: all those of a site's station, and a newer one if this
        is a base that was restored from a backup.
        """
        own = await asyncio.to_thread(self._folder.roster_message)
        received = await asyncio.to_thread(lambda: self._ledger.roster_message)
        if own == received:
            return False
        if received is not None and await asyncio.to_thread(self._folder.adopt_roster, received):
            self._log(
                'a newer roster came from a hub; if this folder was restored from a backup, check '
                "with 'edgetpu_retrain fleet status' whether later changes have to be repeated"
            )
            return True
        if own is not None and await asyncio.to_thread(self._ledger.set_roster, own):
            self._num_changes += 1
            self._synchronization.wake()
        return False

    async def _keep_certificate(self) -> None:
        """Renew the certificate of the hub before it expires."""
        while True:
            await asyncio.sleep(_RENEW_S)
            # If it fails, the old certificate stays.
            await self._problems.attempt(
                'certificate', lambda: asyncio.to_thread(self._folder.renew_certificate)
            )

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

    def _changed(self, _stream: str) -> None:
        self._num_changes += 1

    async def _keep_erasing(self) -> None:
        """Erase from the hub the samples that were erased in the ledger."""
        while True:
            await asyncio.sleep(_ERASE_S)
            await self._problems.attempt('erasure', self._erase)

    async def _erase(self) -> None:
        url = self._settings.local_url
        if not await asyncio.to_thread(self._ledger.hub(url).carriers):
            return
        hub = await connect(url, self._credentials)
        try:
            erasure = await erase_from_hub(hub, self._ledger)
        finally:
            await hub.close()
        if erasure.deleted:
            packs = counted(erasure.deleted, 'pack', 'packs')
            self._log(f'samples were erased from {packs} of the hub')
        if erasure.problem:
            raise HubError(f'samples cannot be erased from the hub: {erasure.problem}')

    async def _keep_reporting(self) -> None:
        """Publish a report regularly, and log when the problem of a hub changes."""
        while True:
            await asyncio.sleep(_REPORT_S)
            for hub in self._synchronization.status():
                self._problems.report(f'the hub at {hub.url}', hub.problem)
            await self._problems.attempt('report', self._look_at_ledger)
            await self._synchronization.publish_report(self._make_report())

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
        return self._roster is not None and self._roster.member(key) is not None

    async def _look_at_ledger(self) -> None:
        """Look at the ledger if it has changed since the last look."""
        changes = self._num_changes  # It may change again during the look.
        if changes != self._seen[0]:
            found = await asyncio.to_thread(ledger_report, self._credentials.name, self._ledger)
            self._seen = changes, found

    def _make_report(self) -> Report:
        _, seen = self._seen
        behind = self._synchronization.status()[0].behind
        return replace(
            seen,
            stamp_ms=time.time_ns() // 1_000_000,
            behind=-1 if behind is None else behind,
            problems=(*self._problems.texts, *seen.problems),
        )


def _content(path: Path) -> bytes:
    """Return the content of a file; empty if there is none."""
    with as_store_error('read', path):
        return path.read_bytes() if path.exists() else b''
