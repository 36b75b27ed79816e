# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""StreamReader: reads a stream in order, to its end and then as it grows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
import json
import secrets
from typing import Any

from edgetpu_retrain.errors import HubLostError
from edgetpu_retrain.fleet.hub.connection import Hub
from edgetpu_retrain.fleet.hub.streams import INACTIVE_S

HEARTBEAT_S = 30
_PULL_S = 120
_MOST_MESSAGES = 256
# Room for headers and subjects, in addition to the largest message that the hub allows, bytes.
_MORE_BYTES = 64 << 10
_NANOSECONDS = 1_000_000_000
_HEARTBEAT_NS = HEARTBEAT_S * _NANOSECONDS


@dataclass(frozen=True)
class StreamMessage:
    """
    A message of a stream.

    Args:
        subject: its subject.
        data: the message.
        sequence: its number in the stream, from 1.
        received_ms: when the hub received it, milliseconds since 1970.
    """

    subject: str
    data: bytes
    sequence: int
    received_ms: int


class StreamReader:
    """
    Reads a stream in order, with a consumer that the hub deletes after some minutes without use.

    Each request is limited to about the size of the largest allowed message, so that the hub never
    sends more at once than a robot with little memory can store.

    Args:
        hub: the connection.
        stream: name of the stream.
        name: name of the consumer.
        waiting: number of messages that are yet to be read.
    """

    def __init__(self, hub: Hub, stream: str, name: str, waiting: int) -> None:
        self.behind = waiting
        """Number of messages yet to be read, as of the last message from the hub."""
        self._hub = hub
        self._pull = f'$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}'
        self._inbox = hub.client.new_inbox()
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        self._subscription: Any = None
        self._asked_for = 0
        self._number = 0
        # Whether the last request ended because there were no more messages.
        self._is_at_end = False

    async def read(self) -> list[StreamMessage]:
        """
        Wait for the next messages, and return at least one.

        Raises:
            HubLostError: if the connection or the consumer was lost.
            HubError: if the hub does not respond.
        """
        while True:
            if not self._asked_for:
                await self._ask(expires=_PULL_S * _NANOSECONDS, idle_heartbeat=_HEARTBEAT_NS)
            if messages := await self._next():
                return messages

    async def read_present(self) -> AsyncIterator[StreamMessage]:
        """
        Yield about as many messages as are yet to be read at the time of the call.

        So a member that publishes continuously cannot keep the caller reading forever.  Messages
        that others delete meanwhile are not waited for.  Raises as :meth:`read`.
        """
        left = self.behind
        while left > 0 and self.behind and not self._is_at_end:
            if not self._asked_for:
                await self._ask(no_wait=True)
            messages = await self._next()
            left -= len(messages)
            for message in messages:
                yield message

    async def _next(self) -> list[StreamMessage]:
        """Wait for what the hub sends next, and return the messages of the stream in it."""
        received = [await self._hub.unless_lost(self._wait())]
        while not self._queue.empty():
            received.append(self._queue.get_nowait())
        return [self._decoded(each) for each in received if not self._is_status(each)]

    async def _wait(self) -> Any:
        return await asyncio.wait_for(self._queue.get(), 3 * HEARTBEAT_S)

    async def _ask(self, **options: object) -> None:
        request = {
            'batch': _MOST_MESSAGES,
            'max_bytes': self._hub.client.max_payload + _MORE_BYTES,
            **options,
        }
        self._asked_for = _MOST_MESSAGES
        await self._hub.unless_lost(
            self._hub.client.publish(self._pull, json.dumps(request).encode(), self._inbox)
        )

    async def listen(self) -> None:
        """Subscribe to the messages that the hub sends to this reader."""

        async def put(message: Any) -> None:
            self._queue.put_nowait(message)

        self._subscription = await self._hub.unless_lost(
            self._hub.client.subscribe(self._inbox, cb=put)
        )

    async def close(self) -> None:
        """Unsubscribe, so that the hub sends no more messages to this reader."""
        await self._hub.unless_lost(self._subscription.unsubscribe())

    def _is_status(self, message: Any) -> bool:
        """Return whether a message is the status of a request, not a message of the stream."""
        status = (message.headers or {}).get('Status')
        if status is None or message.reply.startswith('$JS.ACK.'):
            return False
        words = (message.headers.get('Description') or '').lower()
        if status == '100' or words == 'batch completed':
            return True  # A heartbeat, or the end of a batch, which only newer servers report.
        self._is_at_end = status in {'404', '408'}
        if self._is_at_end or (status == '409' and 'maxbytes' in words):
            self._asked_for = 0
            return True
        raise HubLostError(f'the hub at {self._hub.url} ended the reading: {status} {words}')

    def _decoded(self, message: Any) -> StreamMessage:
        metadata = message.metadata
        self._number += 1
        # Messages are counted, because older servers do not report the end of a batch.
        self._asked_for = max(0, self._asked_for - 1)
        if metadata.sequence.consumer != self._number:
            raise HubLostError(f'a message of the hub at {self._hub.url} was lost on its way')
        self.behind = metadata.num_pending
        return StreamMessage(
            subject=message.subject,
            data=message.data,
            sequence=metadata.sequence.stream,
            received_ms=int(metadata.timestamp.timestamp() * 1000),
        )


async def open_reader(hub: Hub, stream: str, subjects: str, start: int) -> StreamReader:
    """
    Create a reader that begins at a given message of a stream.

    Args:
        hub: the connection.
        stream: name of the stream.
        subjects: pattern of the subjects of the messages to read.
        start: number of the first message to read, from 1.

    Raises:
        HubError: if the hub does not allow this, has no such stream, or the connection is lost.
    """
    name = secrets.token_hex(16)
    response = await hub.api(
        f'CONSUMER.CREATE.{stream}.{name}.{subjects}',
        {
            'stream_name': stream,
            'config': {
                'name': name,
                'filter_subject': subjects,
                'deliver_policy': 'by_start_sequence',
                'opt_start_seq': start,
                'ack_policy': 'none',
                'replay_policy': 'instant',
                'inactive_threshold': INACTIVE_S * _NANOSECONDS,
                'mem_storage': True,
                'num_replicas': 1,
            },
        },
    )
    reader = StreamReader(hub, stream, name, int(response['num_pending']))
    await reader.listen()
    return reader
