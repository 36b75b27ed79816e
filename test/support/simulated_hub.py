# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The hub of a simulated fleet, without a network."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from edgetpu_retrain.errors import PackError
from edgetpu_retrain.fleet.evidence.pack import peek, read_header
from edgetpu_retrain.fleet.station.received_packs import ReceivedPack

DEDUPLICATED = 3
"""How many of the last messages a hub compares with a new one."""


@dataclass
class Hub:
    """A hub: a stream of packs, and the newest roster of each publisher."""

    name: str
    messages: list[tuple[bytes, int] | None] = field(default_factory=list)
    """Message and time of receipt, by sequence from 1; None = deleted."""
    rosters: dict[str, bytes] = field(default_factory=dict)

    def publish(self, message: bytes, now_ms: int) -> int:
        """Return the sequence of a message, which is stored unless it is a duplicate."""
        for sequence in range(len(self.messages), max(0, len(self.messages) - DEDUPLICATED), -1):
            stored = self.messages[sequence - 1]
            if stored is not None and stored[0] == message:
                return sequence
        self.messages.append((message, now_ms))
        return len(self.messages)

    def message_at(self, sequence: int) -> tuple[bytes, int] | None:
        """Return what is at a sequence."""
        return self.messages[sequence - 1] if 1 <= sequence <= len(self.messages) else None

    def packs_of(self, key: str) -> list[ReceivedPack]:
        """Return the packs that a key has signed, as the station reads them."""
        packs = []
        for sequence, stored in enumerate(self.messages, 1):
            with suppress(PackError):
                if stored is not None and peek(stored[0]).origin == key:
                    packs.append(ReceivedPack(read_header(stored[0]), sequence, stored[1]))
        return packs

    def copy(self) -> Hub:
        """Return a backup."""
        return Hub(self.name, list(self.messages), dict(self.rosters))


def pack_hash(message: bytes) -> bytes:
    """Return the hash of the pack in a message, empty if there is none."""
    try:
        return peek(message).hash
    except PackError:
        return b''
