# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The configuration of the hub, a nats-server with JetStream: who may connect, and what they may do.

The server has one account, with one user for each member that may connect.  Subjects that the
permissions do not list are denied, so only the station can delete, purge or create streams.
nats-server accepts JSON as configuration:
https://docs.nats.io/running-a-nats-service/configuration
"""

from __future__ import annotations

from collections.abc import Iterable
import json
from typing import Any

from edgetpu_retrain.fleet.hub.streams import (
    MAX_PAYLOAD,
    publish_permissions,
    station_permissions,
    subscribe_permissions,
)
from edgetpu_retrain.fleet.roster.roster import Member, Roster
from edgetpu_retrain.fleet.station.folder import StationFolder
from edgetpu_retrain.fleet.station.settings import Settings

ACCOUNT = 'FLEET'
_MEMORY_BYTES = 64 << 20
# In effect no limit, because each stream has a limit of its own.  A limit for all streams would
# have to be twice their sum: after a restart, nats-server 2.15 counts each existing stream
# again when its creation is requested.
_FILE_BYTES = 1 << 50


def connecting_members(roster: Roster | None, now_ms: int) -> list[Member]:
    """Return the members that may connect to the hub at ``now_ms``, milliseconds since 1970."""
    return [
        member
        for member in (roster.members if roster is not None else ())
        if member.may_connect and (member.expires_ms is None or now_ms <= member.expires_ms)
    ]


def server_configuration(
    folder: StationFolder, settings: Settings, station: str, members: Iterable[Member]
) -> str:
    """
    Return the configuration file of the hub.

    Args:
        folder: the station's folder.
        settings: how the station runs its hub.
        station: public key of the station's own member, which may manage the streams.
        members: the members that may connect; the station's own may be among them.
    """
    users = [_user(station, station_permissions(station))] + [
        _user(member.key, publish_permissions(member.key, member.roles))
        for member in members
        if member.key != station
    ]
    configuration = {
        'server_name': f'hub_of_{station}',
        'host': settings.host,
        'port': settings.port,
        'max_payload': MAX_PAYLOAD,
        # The hub disconnects a robot that does not receive a message in this time.  On a slow
        # link, the largest message takes long.
        'write_deadline': '60s',
        'tls': {
            'cert_file': str(folder.certificate),
            'key_file': str(folder.certificate_key),
            'timeout': 10,
        },
        'jetstream': {
            'store_dir': str(folder.store),
            'max_memory_store': _MEMORY_BYTES,
            'max_file_store': _FILE_BYTES,
        },
        'accounts': {ACCOUNT: {'jetstream': 'enabled', 'users': users}},
    }
    return json.dumps(configuration, indent=1) + '\n'


def _user(key: str, publish: list[str]) -> dict[str, Any]:
    permissions = {'publish': publish, 'subscribe': subscribe_permissions(key)}
    return {'nkey': key, 'permissions': permissions}
