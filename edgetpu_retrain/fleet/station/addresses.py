# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Names and ports of this machine."""

from __future__ import annotations

import socket

from edgetpu_retrain.errors import FleetError
from edgetpu_retrain.processes.network_address import outward_address


def names_of_this_machine() -> tuple[str, ...]:
    """Return the names and the address at which robots probably reach this machine."""
    host = socket.gethostname()
    names = [host, f'{host}.local'] if '.' not in host else [host]
    address = outward_address()
    return (*names, address) if address is not None else tuple(names)


def check_port(host: str, port: int) -> None:
    """Raise FleetError if the hub cannot listen on an address and port."""
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except (OSError, OverflowError) as error:
            raise FleetError(
                f'the hub cannot listen on {host}, port {port} ({error}): end the program that '
                'uses it (perhaps the service nats-server, which apt starts: sudo systemctl '
                'disable --now nats-server), or give another --port'
            ) from error
