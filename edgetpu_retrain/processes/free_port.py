# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Chooses the port of a server that starts later.

The system may give a port of its range for outgoing connections to any program before the server
listens, so a port outside of that range is chosen.
"""

from __future__ import annotations

from pathlib import Path
import random
import socket

_RANGE = Path('/proc/sys/net/ipv4/ip_local_port_range')
_LOWEST, _HIGHEST = 10000, 65535


def free_port() -> int:
    """
    Return a TCP port of this machine on which no program listens now.

    While this process runs, no other call returns the port again, in this process or another one.
    """
    for port in _candidates():
        reservation = socket.socket(socket.AF_UNIX)
        try:
            # Other processes cannot bind the same name, and choose another port.  A name in the
            # abstract namespace is free again when the process ends.
            reservation.bind(f'\0edgetpu_retrain_port_{port}')
            with socket.socket() as probe:
                probe.bind(('', port))
        except OSError:
            reservation.close()
            continue
        # The reservation lasts as long as the process, so nothing closes it before.
        reservation.detach()
        return port
    raise OSError(
        f'all TCP ports for servers from {_LOWEST} to {_HIGHEST} are in use: end some programs'
    )


def _candidates() -> list[int]:
    first, last = map(int, _RANGE.read_text().split())
    ports = range(_LOWEST, _HIGHEST + 1)
    # The range can be so wide that it leaves none.
    outside = [each for each in ports if not first <= each <= last] or list(ports)
    random.SystemRandom().shuffle(outside)
    return outside
