# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The certificates of hubs, checked by the TLS of Python."""

from __future__ import annotations

from pathlib import Path
import ssl

from edgetpu_retrain.errors import FleetError
from edgetpu_retrain.fleet.station.certificates import (
    Certificate,
    is_current,
    make_authority,
    make_hub_certificate,
)
import pytest


@pytest.fixture(scope='module')
def authority() -> Certificate:
    return make_authority('ABCDEF')


def shake_hands(authority: Certificate, hub: Certificate, name: str, folder: Path) -> None:
    """Let a client that trusts an authority connect to a hub by a name; raises as ssl does."""
    (folder / 'hub.pem').write_text(hub.pem)
    (folder / 'hub.key').write_text(hub.key)
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(folder / 'hub.pem', folder / 'hub.key')
    client_context = ssl.create_default_context(cadata=authority.pem)
    # The default from Python 3.13 on.
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    waiting = [client, server]
    while waiting:
        for each in list(waiting):
            try:
                each.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(each)


@pytest.mark.parametrize('name', ['base.local', '10.0.0.7', 'fe80::7'])
def test_a_hub_is_accepted_by_each_of_its_names(
    authority: Certificate, tmp_path: Path, name: str
) -> None:
    hub = make_hub_certificate(authority, ('base.local', '10.0.0.7', 'fe80::7'))
    shake_hands(authority, hub, name, tmp_path)


def test_a_hub_is_rejected_by_another_name(authority: Certificate, tmp_path: Path) -> None:
    hub = make_hub_certificate(authority, ('base.local',))
    with pytest.raises(ssl.SSLCertVerificationError, match='mismatch'):
        shake_hands(authority, hub, 'other.local', tmp_path)


def test_a_hub_of_another_fleet_is_rejected(authority: Certificate, tmp_path: Path) -> None:
    hub = make_hub_certificate(make_authority('ABCDEF'), ('base.local',))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(authority, hub, 'base.local', tmp_path)


def test_a_hub_can_make_no_certificates(authority: Certificate, tmp_path: Path) -> None:
    site = make_hub_certificate(authority, ('site.local',))
    forged = make_hub_certificate(site, ('base.local',))
    forged = Certificate(forged.pem + site.pem, forged.key)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(authority, forged, 'base.local', tmp_path)


def test_a_certificate_is_current_for_exactly_its_names(authority: Certificate) -> None:
    hub = make_hub_certificate(authority, ('base.local', '10.0.0.7'))
    assert is_current(hub, ('base.local', '10.0.0.7'))
    assert not is_current(hub, ('base.local',))
    assert not is_current(hub, ('base.local', '10.0.0.8'))


def test_a_certificate_that_is_damaged_or_of_another_key_is_not_current(
    authority: Certificate,
) -> None:
    names = ('base.local',)
    hub, other = (make_hub_certificate(authority, names) for _ in range(2))
    assert not is_current(Certificate(hub.pem, other.key), names)
    assert not is_current(Certificate(hub.pem[:200], hub.key), names)
    assert not is_current(Certificate(hub.pem, hub.key[:100]), names)
    assert not is_current(Certificate('', ''), names)


def test_a_damaged_authority_certifies_nothing(authority: Certificate) -> None:
    for damaged in (
        Certificate(authority.pem[:200], authority.key),
        Certificate(authority.pem, authority.key[:100]),
    ):
        with pytest.raises(FleetError, match=r'take authority\.pem and authority\.key'):
            make_hub_certificate(damaged, ('base.local',))


@pytest.mark.parametrize('name', ['', 'nats://base', 'base:4222', 'two words', 'b\xe4se'])
def test_what_is_no_name_is_rejected(authority: Certificate, name: str) -> None:
    with pytest.raises(FleetError, match='neither a host name nor an IP address'):
        make_hub_certificate(authority, ('base.local', name))
