# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Announcement: prints the addresses of the page."""

from __future__ import annotations

import contextlib
import socket

from edgetpu_retrain.page.access.gate import ENTRANCE
from edgetpu_retrain.page.access.sessions import TEACHER
from edgetpu_retrain.page.options import EVERYWHERE, Options


class Announcement:
    """
    Prints the addresses of the page to standard output.

    Args:
        options: the options of the server.

    Attributes:
        port: TCP port in the addresses; set it when the server listens, because the option may be
            0.
    """

    def __init__(self, options: Options) -> None:
        self._scheme = 'http' if options.tls_certificate is None else 'https'
        self._host = options.host
        self.port = options.port

    @property
    def address(self) -> str:
        """The address of the page, without a token."""
        host = outward_address() if self._host in {EVERYWHERE, '::'} else self._host
        shown = f'[{host}]' if ':' in host else host
        return f'{self._scheme}://{shown}:{self.port}'

    def page(self) -> None:
        """Print the address of a page that only this machine can open."""
        print(
            f'The page: {self.address}/ (only on this machine; --lan lets others in)', flush=True
        )

    def token(self, role: str, token: str) -> None:
        """Print an address that admits one browser; for a teacher, also its QR code."""
        address = f'{self.address}{ENTRANCE}?token={token}'
        print(f'The page for one {role}, once: {address}', flush=True)
        if role == TEACHER:
            print(qr_code(address), flush=True)


def qr_code(text: str) -> str:
    """Return a QR code of a text as lines of characters; '' if qrcode is not installed."""
    with contextlib.suppress(ImportError):
        import io

        import qrcode

        code = qrcode.QRCode(border=2)
        code.add_data(text)
        lines = io.StringIO()
        code.print_ascii(lines, invert=True)
        return lines.getvalue()
    return ''


def outward_address() -> str:
    """Return the IPv4 address of this machine in its network; 127.0.0.1 if it has no network."""
    # Connecting a UDP socket sends no packet, but makes the system choose the local address.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(('192.0.2.1', 9))  # an address that RFC 5737 reserves for documentation
        except OSError:
            return '127.0.0.1'
        return str(probe.getsockname()[0])
