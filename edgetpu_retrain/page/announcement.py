# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Announcement: prints the addresses of the page."""

from __future__ import annotations

import contextlib

from edgetpu_retrain.page.access.gate import ENTRANCE
from edgetpu_retrain.page.access.sessions import TEACHER
from edgetpu_retrain.page.options import EVERYWHERE, LOOPBACK, Options
from edgetpu_retrain.processes.network_address import outward_address


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
        self._is_everywhere = options.host in {EVERYWHERE, '::'}
        self.port = options.port

    @property
    def address(self) -> str:
        """The address of the page, without a token."""
        host = outward_address() or LOOPBACK if self._is_everywhere else self._host
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
        if role != TEACHER:
            return
        if self._is_everywhere and outward_address() is None:
            print(
                'This machine has no IPv4 address but loopback, so only it can open that page: '
                'connect it to a network and start the page again, or give --host ADDRESS',
                flush=True,
            )
        else:
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
