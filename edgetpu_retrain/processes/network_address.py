# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The address at which other machines reach this one."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct

# Requests of netdevice(7), the size of struct ifreq, and where the union in it begins.
_GET_FLAGS = 0x8913  # SIOCGIFFLAGS
_GET_ADDRESS = 0x8915  # SIOCGIFADDR
_IFREQ = struct.Struct('16s24x')
_UNION = 16
# Where a struct sockaddr_in has the address.
_ADDRESS = struct.Struct('4x4s')
_UP, _LOOPBACK, _RUNNING = 0x1, 0x8, 0x40


def outward_address() -> str | None:
    """
    Return the IPv4 address of this machine in its network; None if it has only loopback.

    Without a default route, as on a robot that is its own hotspot, this is the address of the
    first network interface that has one; those with a carrier come first.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Connecting a UDP socket sends no packet, but makes the system choose the local address.
        # The other end is an address that RFC 5737 reserves for documentation.
        with contextlib.suppress(OSError):
            probe.connect(('192.0.2.1', 9))
            return str(probe.getsockname()[0])
        found: dict[bool, str] = {}
        for _, name in socket.if_nameindex():
            # An interface may have no address, or vanish at any time.
            with contextlib.suppress(OSError):
                flags = int(struct.unpack_from('H', _ask(probe, _GET_FLAGS, name), _UNION)[0])
                (address,) = _ADDRESS.unpack_from(_ask(probe, _GET_ADDRESS, name), _UNION)
                if flags & _UP and not flags & _LOOPBACK:
                    found.setdefault(bool(flags & _RUNNING), socket.inet_ntoa(address))
        return found.get(True, found.get(False))


def _ask(probe: socket.socket, request: int, interface: str) -> bytes:
    return fcntl.ioctl(probe, request, _IFREQ.pack(interface.encode()))
