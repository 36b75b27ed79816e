# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A hub renews its certificate while it runs, with a real nats-server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
import contextlib
from datetime import timedelta
from pathlib import Path
import socket
import ssl

from edgetpu_retrain.errors import HubError, StoreError
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub.connection import connect, Hub
from edgetpu_retrain.fleet.station import certificates
from edgetpu_retrain.fleet.station import folder as folder_module
from edgetpu_retrain.fleet.station import station as station_module
from edgetpu_retrain.fleet.station.folder import StationFolder
from edgetpu_retrain.fleet.station.private_file import write_private
from edgetpu_retrain.fleet.station.settings import Settings
from edgetpu_retrain.fleet.station.station import Station
from edgetpu_retrain.processes.free_port import free_port
import pytest
from support.fleet_members import SPACE
from support.hub_network import run, until
from support.hub_server import find_nats_server


@contextlib.asynccontextmanager
async def running(folder: StationFolder) -> AsyncIterator[Hub]:
    """Run a station, and connect to it as soon as it accepts members."""
    station = Station(folder, SPACE, None, lambda _: None)
    task = asyncio.create_task(station.run())
    hubs: list[Hub] = []

    async def connects() -> bool:
        try:
            hubs.append(await connect(folder.settings().local_url, folder.credentials()))
        except HubError:
            assert not task.done(), task.exception()
            return False
        return True

    try:
        await until(connects)
        yield hubs[0]
        await hubs[0].close()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        station.close()


def served_certificate(folder: StationFolder) -> str:
    """Return the certificate that a client gets, and trusts as members do."""
    context = ssl.create_default_context(cadata=folder.credentials().ca)
    with socket.create_connection(('127.0.0.1', folder.settings().port)) as connection:
        connection.recv(1 << 16)  # NATS begins with a line in plain text.
        with context.wrap_socket(connection, server_hostname='localhost') as encrypted:
            der = encrypted.getpeercert(binary_form=True)
    assert der is not None
    return ssl.DER_cert_to_PEM_cert(der)


@pytest.mark.parametrize('fails_at_last', [False, True])
def test_a_certificate_that_expires_is_renewed_while_members_stay_connected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at_last: bool
) -> None:
    find_nats_server()
    monkeypatch.setattr(station_module, '_RENEW_S', 0.05)
    folder = StationFolder(tmp_path / 'base')
    with monkeypatch.context() as earlier:
        earlier.setattr(certificates, '_HUB_VALID', timedelta(hours=1))
        folder.make_base(Settings(('localhost',), '127.0.0.1', free_port(), 1 << 30))
    old = folder.certificate.read_text()
    usual = certificates.RENEW_BEFORE
    monkeypatch.setattr(certificates, 'RENEW_BEFORE', timedelta())

    def write_and_fail(path: Path, content: bytes) -> None:
        write_private(path, content)
        raise StoreError('input/output error')

    async def is_renewed() -> bool:
        try:
            served = await asyncio.to_thread(served_certificate, folder)
        except OSError:  # The hub ends connections that are made while it reloads.
            return False
        return served == folder.certificate.read_text() != old

    async def accepts_members() -> bool:
        try:
            hub = await connect(folder.settings().local_url, folder.credentials())
        except HubError:
            return False
        await hub.close()
        return True

    async def scenario() -> None:
        async with running(folder) as member:
            assert await asyncio.to_thread(served_certificate, folder) == old
            if fails_at_last:
                monkeypatch.setattr(folder_module, 'write_private', write_and_fail)
            monkeypatch.setattr(certificates, 'RENEW_BEFORE', usual)
            await until(is_renewed)
            assert not member.client.is_closed
            await until(accepts_members)

    run(scenario())


def settings_of(*names: str) -> Settings:
    return Settings(names, '127.0.0.1', 4222, 1 << 30)


def test_a_renewal_that_fails_leaves_a_certificate_of_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = StationFolder(tmp_path / 'base')
    folder.make_base(settings_of('localhost'))

    def fail(path: Path, content: bytes) -> None:
        if path == folder.certificate:
            raise StoreError('no space left on device')
        write_private(path, content)

    with monkeypatch.context() as full:
        full.setattr(folder_module, 'write_private', fail)
        with pytest.raises(StoreError):
            folder.write_settings(settings_of('localhost', 'base.local'))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder.certificate, folder.certificate_key)
    assert folder.renew_certificate()
    context.load_cert_chain(folder.certificate, folder.certificate_key)
    assert not folder.renew_certificate()


@pytest.mark.parametrize('damaged', ['certificate', 'certificate_key'])
def test_a_damaged_certificate_or_key_is_replaced(tmp_path: Path, damaged: str) -> None:
    folder = StationFolder(tmp_path / 'base')
    folder.make_base(settings_of('localhost'))
    path: Path = getattr(folder, damaged)
    path.write_bytes(path.read_bytes()[:100])
    assert folder.renew_certificate()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder.certificate, folder.certificate_key)


def test_the_certificate_of_a_site_is_not_renewed(tmp_path: Path) -> None:
    base, site = StationFolder(tmp_path / 'base'), StationFolder(tmp_path / 'site')
    settings = Settings(('localhost',), '127.0.0.1', 4222, 1 << 30)
    base.make_base(settings)
    site.make_site(settings, base.member_credentials('site', Key.generate(), ('localhost',)))
    assert not site.renew_certificate()
