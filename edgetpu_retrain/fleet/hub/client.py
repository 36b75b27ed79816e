# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The client of NATS, made safer."""

from __future__ import annotations

from nats.aio.client import Client
from nats.errors import Error


class TolerantClient(Client):
    """
    A client that passes on messages with malformed headers, without the headers.

    A hub stores whatever headers a member writes, and nats-py stops reading at those that it
    cannot parse (``IndexError`` for ``b'N'``, nats-py 2.16).  Such a message in a stream would
    stop every member there, at each attempt to read on.
    """

    async def _process_headers(self, headers: bytes) -> dict[str, str] | None:
        try:
            return await super()._process_headers(headers)
        except Exception:  # noqa: BLE001 - whatever its parser raises
            return None


class EncryptedClient(TolerantClient):
    """A client that proves its key only over TLS, whatever the server asks for."""

    def _connect_command(self) -> bytes:
        if not self._server_info.get('tls_required'):
            raise Error('it does not encrypt, so it is not the one of the credentials')
        return super()._connect_command()
