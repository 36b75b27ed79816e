# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Names and ports of this machine."""

from __future__ import annotations

import socket

from edgetpu_retrain.errors import FleetError


def names_of_this_machine() -> tuple[str, ...]:
    """Return the names and the address at which robots probably reach this machine."""
    host = socket.gethostname()
    names = [host, f'{host}.local'] if '.' not in host else [host]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # This sends nothing: the kernel only chooses the source address of later packets.  The
            # destination is an address for documentation, RFC 5737.
            probe.connect(('192.0.2.1', 9))
            names.append(probe.getsockname()[0])
        except OSError:
            pass  # Without a network, there is no address.
    return tuple(names)


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
