# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Hub: one connection to a hub; a lost connection is not restored."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
import contextlib
import json
import re
import ssl
from typing import Any, Protocol, TypeVar

from edgetpu_retrain.errors import (
    FleetError,
    HubDeniedError,
    HubError,
    HubFullError,
    HubLostError,
    HubRefusedError,
)
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub.client import EncryptedClient, TolerantClient
from edgetpu_retrain.fleet.hub.streams import inbox_prefix, report_subject
import edgetpu_retrain.fleet.needs_libraries  # noqa: F401
from edgetpu_retrain.wording import quoted
import nats.errors

CONNECT_TIMEOUT_S = 10
REQUEST_TIMEOUT_S = 10.0
PUBLISH_TIMEOUT_S = 120.0
"""Time limit for publishing a message, seconds: enough for 4 MB at 0.3 Mbit/s."""

# While nats-server reloads its configuration, JetStream does not listen for some milliseconds.
_RELOAD_PAUSES_S = (0.1, 0.3, 1.0)
_PING_S, _MOST_PINGS = 30, 3
_CHECK_S = 5.0
# Room in max_payload for the headers of a message, bytes; they need about 100.
_ENVELOPE_BYTES = 1024
# Errors of a hub that has reached a limit or whose disk is full.  They are recognized by number
# or by text, because not all servers have a number for each of them.
# See https://github.com/nats-io/nats-server/blob/main/server/errors.json
_FULL_CODES = {10002, 10023, 10028, 10047, 10077}
_FULL_WORDS = re.compile(
    r'maximum (bytes|messages)|insufficient|limits? exceeded|no space', re.IGNORECASE
)

Result = TypeVar('Result')


class HubCredentials(Protocol):
    """The credentials of a member that a connection needs."""

    @property
    def seed(self) -> str:
        """The seed of the member's key."""

    @property
    def ca(self) -> str:
        """The certificate that signed the hub's certificate, PEM; '' = connect without TLS."""


class Hub:
    """
    A connection to a hub.  A lost connection is never restored: connect again.

    Args:
        client: a connected ``nats.aio.client.Client``.
        url: address of the hub, which also identifies it in the ledger.
        key: public key of this member.
    """

    def __init__(self, client: Any, url: str, key: str) -> None:
        self.client = client
        self.url = url
        self.key = key
        self.max_bytes: int = client.max_payload - _ENVELOPE_BYTES
        """Length of the largest message that the hub accepts, bytes."""
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._denials: dict[str, asyncio.Future[None]] = {}
        self._watch = asyncio.create_task(self._watch_client())

    async def close(self) -> None:
        """Close the connection."""
        self._watch.cancel()
        # The client waits until the hub has received all pending messages.  A dead hub never
        # receives them.
        with contextlib.suppress(asyncio.TimeoutError, OSError):
            await asyncio.wait_for(self.client.close(), _CHECK_S)
        self.lose()

    async def publish(self, subject: str, data: bytes, message_id: str) -> int | None:
        """
        Publish a message and wait until the hub has stored it.

        Args:
            subject: a subject of a stream.
            data: the message.
            message_id: the hub stores messages with the same id only once, within the duplicate
                window of the stream; '' = it does not check for duplicates.

        Returns:
            Number of the message in the stream; None if the hub has not stored it, because it
            already has a message with this id.  A hostile member may have published a different
            message with this id.

        Raises:
            HubFullError: if the hub has reached a limit or its disk is full.
            HubDeniedError: if this member may not publish on the subject.
            HubRefusedError: if the hub does not accept this message.
            HubLostError: if the connection was lost; the message may have been stored.
            HubError: if the hub has no such stream, or does not respond.
        """
        if len(data) > self.max_bytes:
            raise HubRefusedError(
                f'a message of {len(data)} bytes is too large for the hub at {self.url}, which '
                f'allows {self.max_bytes}: set its max_payload to 8MB'
            )
        headers = {'Nats-Msg-Id': message_id} if message_id else None
        response = await self.request(subject, data, timeout_s=PUBLISH_TIMEOUT_S, headers=headers)
        return None if response.get('duplicate') else int(response['seq'])

    async def api(self, subject: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request to ``$JS.API.``, the API of JetStream; raises as :meth:`publish`."""
        return await self.request(f'$JS.API.{subject}', json.dumps(request).encode())

    async def request(
        self,
        subject: str,
        data: bytes,
        *,
        timeout_s: float = REQUEST_TIMEOUT_S,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send a JetStream request and return the response; raises as :meth:`publish`."""
        denial = self._denials.setdefault(subject.lower(), self._new_future())
        try:
            message = await _when_heard(
                lambda: self.unless_lost(
                    self.client.request(subject, data, timeout=timeout_s, headers=headers), denial
                )
            )
        except nats.errors.NoRespondersError as error:
            raise HubError(
                f'the hub at {self.url} has no stream for {quoted(subject)}: start it with '
                "'edgetpu_retrain fleet serve', which turns JetStream on and creates the streams"
            ) from error
        finally:
            self._denials.pop(subject.lower(), None)
        try:
            response: dict[str, Any] = json.loads(message.data)
        except ValueError as error:
            raise HubError(f'the response of the hub at {self.url} is not JSON') from error
        if 'error' in response:
            self._raise(response['error'])
        return response

    async def publish_report(self, message: bytes, about: str = '') -> None:
        """
        Publish a report for the operator, without waiting for an acknowledgement.

        Args:
            message: the report.
            about: public key of the member that it is about; '' = this member.
        """
        subject = report_subject(about or self.key, self.key)
        await self.unless_lost(self.client.publish(subject, message))

    async def unless_lost(
        self, awaitable: Awaitable[Result], denial: asyncio.Future[None] | None = None
    ) -> Result:
        """
        Await an operation of the client, unless the connection is lost or access is denied first.

        Raises as :meth:`publish`, and ``NoRespondersError`` if nothing listens on the subject.
        """
        response = asyncio.ensure_future(awaitable)
        awaited: set[asyncio.Future[Any]] = {response, self._lost}
        if denial is not None:
            awaited.add(denial)
        try:
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if response.done() and not response.cancelled():
                return response.result()
        except (nats.errors.TimeoutError, asyncio.TimeoutError) as error:
            raise HubError(f'the hub at {self.url} does not respond') from error
        except nats.errors.NoRespondersError:
            raise
        except (nats.errors.Error, OSError) as error:
            raise HubLostError(f'the connection to the hub at {self.url} was lost') from error
        finally:
            response.cancel()
        if denial is not None and denial.done():
            raise HubDeniedError(
                f'the hub at {self.url} does not let this key do this: check its roles with '
                "'edgetpu_retrain fleet status'"
            )
        raise HubLostError(f'the connection to the hub at {self.url} was lost')

    def lose(self) -> None:
        """Mark the connection as lost: all calls that await the hub raise HubLostError."""
        if not self._lost.done():
            self._lost.set_result(None)

    def deny(self, text: str) -> None:
        """Make requests raise HubDeniedError if ``text``, in lower case, quotes their subject."""
        for subject, denial in self._denials.items():
            if f'"{subject}"' in text and not denial.done():
                denial.set_result(None)

    def _raise(self, error: Mapping[str, Any]) -> None:
        text = str(error.get('description', 'unknown error'))
        if error.get('err_code') in _FULL_CODES or _FULL_WORDS.search(text):
            raise HubFullError(
                f'the hub at {self.url} is full ({text}): nothing is lost, members keep what it '
                'does not take; free disk space there, or raise its limit'
            )
        raise HubRefusedError(
            f'the hub at {self.url} refuses a request: {text}', int(error.get('err_code', 0))
        )

    async def _watch_client(self) -> None:
        # The client calls closed_cb only after sending all data, which a dead hub never receives.
        while not self.client.is_closed:
            await asyncio.sleep(_CHECK_S)
        self.lose()

    @staticmethod
    def _new_future() -> asyncio.Future[None]:
        return asyncio.get_running_loop().create_future()


async def connect(url: str, credentials: HubCredentials) -> Hub:
    """
    Connect to a hub with a member's key.

    Args:
        url: such as ``nats://base:4222``.
        credentials: the member's seed, and the certificate that signed the hub's certificate.

    Raises:
        HubDeniedError: if the hub rejects the key.
        HubLostError: if the connection is lost while it is made.
        HubError: if no hub responds, or the hub is not that of the credentials.
        FleetError: if the credentials are not valid.
    """
    key = Key.from_seed(credentials.seed).public
    client = EncryptedClient() if credentials.ca else TolerantClient()
    errors: list[Exception] = []
    hubs: list[Hub] = []

    async def note_error(error: Exception) -> None:
        errors[:] = [error]
        for hub in hubs:
            hub.deny(str(error).lower())

    async def note_loss() -> None:
        for hub in hubs:
            hub.lose()

    try:
        await asyncio.wait_for(
            client.connect(
                url,
                nkeys_seed_str=credentials.seed,
                tls=_tls(credentials.ca),
                inbox_prefix=inbox_prefix(key),
                name=key,
                error_cb=note_error,
                closed_cb=note_loss,
                allow_reconnect=False,
                # With 0, the client would retry forever.
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=CONNECT_TIMEOUT_S,
                ping_interval=_PING_S,
                max_outstanding_pings=_MOST_PINGS,
            ),
            3 * CONNECT_TIMEOUT_S,
        )
    except BaseException as error:
        # Determine the cause before closing the client, which reports further errors, such as a
        # broken pipe.
        cause = errors[-1] if errors else error
        # The client leaves its socket and tasks open if connecting fails or is cancelled.
        with contextlib.suppress(Exception):
            await asyncio.wait_for(client.close(), _CHECK_S)
        # For a malformed URL, urllib and the client raise various subclasses of these errors.
        if isinstance(error, (OSError, ValueError, asyncio.TimeoutError, nats.errors.Error)):
            raise _connection_error(url, cause) from error
        raise
    hubs.append(Hub(client, url, key))
    return hubs[0]


async def _when_heard(request: Callable[[], Awaitable[Result]]) -> Result:
    """Make a request, and repeat it after pauses if nothing listens on its subject."""
    for pause_s in _RELOAD_PAUSES_S:
        with contextlib.suppress(nats.errors.NoRespondersError):
            return await request()
        await asyncio.sleep(pause_s)
    return await request()


def _tls(ca: str) -> ssl.SSLContext | None:
    if not ca:
        return None
    try:
        return ssl.create_default_context(cadata=ca)
    except ssl.SSLError as error:
        raise FleetError(
            f'the certificate in the credentials is not valid ({error}): copy the file again'
        ) from error


def _connection_error(url: str, error: BaseException) -> HubError:
    text = str(error).lower()
    if isinstance(error, ssl.SSLError):
        return HubError(
            f'the hub at {url} is not the one of these credentials, its certificate is not '
            f'accepted ({error}): copy the credentials that the station wrote for this robot again'
        )
    # So nats-server ends a connection whose beginning takes too long, whatever its key.
    is_late = 'authentication timeout' in text
    if not is_late and ('authorization' in text or 'authentication' in text):
        return HubDeniedError(
            f"the hub at {url} does not accept this robot's key: add it at the station with "
            "'edgetpu_retrain fleet add', or was it revoked?"
        )
    cause = text or type(error).__name__
    is_lost = is_late or isinstance(error, (ConnectionResetError, BrokenPipeError))
    kind = HubLostError if is_lost else HubError
    return kind(
        f'no hub can be reached at {url} ({cause}): is it running, and is the address right?'
    )
