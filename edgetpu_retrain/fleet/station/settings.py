# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings: how a station runs its hub."""

from __future__ import annotations

from dataclasses import dataclass

PORT = 4222
"""The port of NATS, https://www.iana.org/assignments/service-names-port-numbers."""

LOCAL_NAMES = ('localhost', '127.0.0.1')
EVERYWHERE = ('0.0.0.0', '::')  # noqa: S104 - nothing is bound here
"""The wildcard addresses, which mean all addresses of a machine, of IPv4 and IPv6."""


@dataclass(frozen=True)
class Settings:
    """
    How a station runs its hub.

    Args:
        names: host names and IP addresses at which robots reach the hub; the first one is
            written into their credentials.
        host: address on which the hub listens.
        port: port on which the hub listens.
        evidence_bytes: maximum size of all packs that the hub keeps, bytes.
    """

    names: tuple[str, ...]
    host: str
    port: int
    evidence_bytes: int

    @property
    def url(self) -> str:
        """The URL at which robots reach the hub."""
        return _address(self.names[0], self.port)

    @property
    def local_url(self) -> str:
        """The URL at which programs on the hub's own machine reach the hub."""
        return _address(LOCAL_NAMES[1] if self.host in EVERYWHERE else self.host, self.port)

    @property
    def certified_names(self) -> tuple[str, ...]:
        """The names in the hub's certificate, including those for programs on this machine."""
        local = LOCAL_NAMES if self.host in EVERYWHERE else (*LOCAL_NAMES, self.host)
        return tuple(dict.fromkeys((*self.names, *local)))


def _address(name: str, port: int) -> str:
    return f'nats://[{name}]:{port}' if ':' in name else f'nats://{name}:{port}'
