# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The NATS client, made safe against malformed headers and servers without TLS."""

from __future__ import annotations

import edgetpu_retrain.fleet.needs_libraries  # noqa: F401
from nats.aio.client import Client
from nats.errors import Error


class TolerantClient(Client):
    """
    A client that passes on messages with malformed headers, without the headers.

    A hub stores any headers that a member writes, and nats-py stops reading at headers that it
    cannot parse (``IndexError`` for ``b'N'``, nats-py 2.16).  One such message in a stream would
    keep all members from reading past it.
    """

    async def _process_headers(self, headers: bytes) -> dict[str, str] | None:
        try:
            return await super()._process_headers(headers)
        except Exception:  # noqa: BLE001 - its parser may raise anything
            return None


class EncryptedClient(TolerantClient):
    """A client that refuses to authenticate to a server that does not require TLS."""

    def _connect_command(self) -> bytes:
        if not self._server_info.get('tls_required'):
            raise Error('it does not encrypt, so it is not the one of the credentials')
        return super()._connect_command()
