# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Checks the headers Host and Origin of requests.

A visitor's browser may also show a page of another site, and that page can send requests to this
server.  The DNS name of the other site can even resolve to the address of this machine (DNS
rebinding).  The header Host contains the name under which the browser addressed this server, and
Origin the site of the page that sent the request.
"""

from __future__ import annotations

from collections.abc import Iterable
import re
import socket
from typing import Any

from edgetpu_retrain.page.refused import RefusedError
from edgetpu_retrain.wording import quoted

# A host with or without a port, as in RFC 9110; an IPv6 address is in brackets.
_HOST = re.compile(r'(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?')

_LOOPBACK_NAMES = ('localhost', '127.0.0.1', '::1')


class Hosts:
    """
    The names under which browsers may open the page.

    Args:
        allowed: names in addition to the host name of this machine and the loopback names.
        has_tls: whether the server uses HTTPS.
    """

    def __init__(self, allowed: Iterable[str] = (), *, has_tls: bool = False) -> None:
        own = socket.gethostname()
        short = own.partition('.')[0]
        names = (*_LOOPBACK_NAMES, own, short, f'{short}.local', *allowed)
        self._names = {each.lower().rstrip('.') for each in names} - {''}
        # If a proxy adds TLS, Origin begins with https although this server has no TLS.
        self._schemes = ('https',) if has_tls else ('http', 'https')

    def check_host(self, host: str, local_address: str) -> None:
        """
        Check that a request is addressed to this machine.

        Args:
            host: the header Host.
            local_address: the IP address of this machine to which the client is connected.

        Raises:
            RefusedError: if Host is neither a name nor the address of this machine.
        """
        match = _HOST.fullmatch(host)
        name = match[1].strip('[]').lower().rstrip('.') if match is not None else ''
        if not name or name not in self._names | {local_address.lower()}:
            raise RefusedError(
                421,
                f'{quoted(host)} is no name of this robot: open the address that it printed, or '
                'start the page with --allow-host',
            )

    def check_origin(self, origin: str | None, host: str) -> None:
        """
        Check that a page of this server sent a request.

        Args:
            origin: the header Origin; None = the request has no Origin.
            host: the header Host.

        Raises:
            RefusedError: if Origin is missing or names another site.
        """
        if origin is None or origin.lower() not in {
            f'{scheme}://{host.lower()}' for scheme in self._schemes
        }:
            came = 'without Origin' if origin is None else f'from {quoted(origin)}'
            raise RefusedError(
                403,
                f'the request came {came}: only the page of this robot may change anything; '
                f'send the header Origin: {self._schemes[0]}://<Host> from a program',
            )


def local_address(transport: Any) -> str:
    """Return the local IP address of a connection; '' if the connection is closed."""
    return _address(transport, 'sockname')


def peer_address(transport: Any) -> str:
    """Return the IP address of the client of a connection; '' if the connection is closed."""
    return _address(transport, 'peername')


def _address(transport: Any, which: str) -> str:
    name = None if transport is None else transport.get_extra_info(which)
    # On an IPv6 socket, an IPv4 address is mapped, such as ::ffff:192.0.2.1.
    return str(name[0]).removeprefix('::ffff:') if isinstance(name, tuple) else ''
