# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Exchange: decides what a member reads from one hub and publishes there; it does no network I/O.

There is one rule: a member reads the stream of packs to its end, and then publishes the packs that
it has and the stream lacks.  So it does not matter to which hub a pack was published, or whether
the hub was down, restored from a backup or replaced.  Own claims are sealed only at the end of the
stream: by then, a member that was restored from a backup has read the packs that it had published
before.
"""

from __future__ import annotations

from collections.abc import Callable
import hashlib
import random as random_module
import time

from edgetpu_retrain.errors import RosterError
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.evidence.pack import MAX_PACK_BYTES
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.ledger.receiving import Receipt

OTHERS_AFTER_MS = (2_000, 30_000)
"""
Shortest and longest time until a member publishes missing packs of others, milliseconds.

The time is random for each chain of packs, so that not all members publish the same packs to an
empty hub: the first member publishes them, and the others find them there.
"""

MAX_DUE = 32
"""How many packs a member publishes before it checks again which are still missing."""

_MESSAGES_PER_POSITION = 64


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Exchange:
    """
    Decides what a member reads from one hub and publishes there; not thread-safe.

    Args:
        ledger: the ledger of the member.
        hub: name of the hub in the ledger.
        key: key of the member, with which its claims are sealed; None = it makes no claims.
        max_bytes: the maximum length of a message that the hub accepts.
        own_only: whether the member reads and publishes only its own packs.  The ledger has a
            separate reading position for this, so that the member reads the packs of others if
            ``own_only`` is false later.
        others_after_ms: see :data:`OTHERS_AFTER_MS`.
        now_ms: returns the time of a monotonic clock, milliseconds.
        random: returns a random number from 0 to 1.
    """

    def __init__(
        self,
        ledger: Ledger,
        hub: str,
        key: Key | None,
        *,
        max_bytes: int = MAX_PACK_BYTES,
        own_only: bool = False,
        others_after_ms: tuple[int, int] = OTHERS_AFTER_MS,
        now_ms: Callable[[], int] = _monotonic_ms,
        random: Callable[[], float] = random_module.random,  # noqa: S311 - only a delay
    ) -> None:
        self._ledger = ledger
        self.own_only = own_only
        self._hub = f'own packs at {hub}' if own_only else hub
        self._record = ledger.hub(self._hub)
        self._key = key
        self._max_bytes = max_bytes
        self._others_after_ms = others_after_ms
        self._now_ms = now_ms
        self._random = random
        self._is_known_stream = False
        self._read: tuple[int, bytes, int] | None = None
        self._num_unsaved = 0
        self._missing: dict[bytes, int] = {}
        self._skipped: set[bytes] = set()
        self._roster: bytes | None = None

    @property
    def remembered(self) -> int:
        """Sequence of the last message that is recorded as read in the ledger; 0 = none."""
        return self._record.position.sequence

    def begin(self, message: bytes | None, received_ms: int = 0) -> int:
        """
        Begin to read the stream; on a new connection, use a new Exchange.

        Args:
            message: the message in the stream with the number :attr:`remembered`; None = there is
                none.
            received_ms: when the hub received that message, milliseconds since 1970.

        Returns:
            Sequence of the first message to read.
        """
        self._read, self._num_unsaved, self._missing = None, 0, {}
        self._skipped, self._roster = set(), None
        position = self._record.position
        mark = None if message is None else _mark(message, received_ms)
        # While messages are read again, the position has no mark.  The stream is then the same
        # only if this connection has begun to read it before.
        is_known = position.mark == mark if position.mark else self._is_known_stream
        self._is_known_stream = True
        if not position.sequence or not is_known:
            # Nothing was read yet; the stream was, or may have been, replaced or restored from a
            # backup; or the station has deleted the last message that was read, to erase samples.
            self._record.forget()
            return 1
        if position.reread is not None:
            self._record.begin_rereading()
            return position.reread
        # Read the messages after the saved position again, because the hub may have lost them.
        self._record.forget_messages(position.sequence)
        return position.sequence + 1

    def read(
        self, message: bytes, sequence: int, received_ms: int = 0, origin: str = ''
    ) -> Receipt:
        """
        Process the next message of the stream.

        Args:
            message: untrusted bytes.
            sequence: number of the message in the stream.
            received_ms: when the hub received the message, milliseconds since 1970.
            origin: public key in the subject of the message, see :meth:`Ledger.receive`; '' = not
                known.

        Raises:
            StoreError: if the disk fails; then call :meth:`begin` again.
        """
        receipt = self._ledger.receive(
            message,
            hub=self._hub,
            sequence=sequence,
            received_ms=received_ms,
            origin=origin,
        )
        self._read = sequence, message, received_ms
        self._num_unsaved += 1
        if self._num_unsaved >= _MESSAGES_PER_POSITION:
            self._save_position()
        if receipt.outcome != 'refused':
            self._missing.pop(receipt.hash, None)
        return receipt

    @property
    def must_reread(self) -> bool:
        """Whether earlier messages are to be read again; if so, call :meth:`begin`."""
        return self._record.position.reread is not None

    def caught_up(self) -> None:
        """
        Seal own claims, and determine which packs are to be published.

        Call it when all messages of the stream are read, and again whenever there are new claims
        or packs.
        """
        self._save_position()
        if self._key is not None:
            self._ledger.seal(self._key, self._max_bytes)
        now = self._now_ms()
        missing, due_of_chain, latest = {}, dict[int, int](), dict[int, int]()
        for digest, chain, is_own in self._record.missing():
            due = due_of_chain.setdefault(chain, now if is_own else now + self._delay_ms())
            if digest not in self._skipped and (is_own or not self.own_only):
                # No pack is due before the earlier packs of its chain.  An earlier pack may have
                # been found missing only now, with a due time that is later.
                latest[chain] = max(self._missing.get(digest, due), latest.get(chain, 0))
                missing[digest] = latest[chain]
        self._missing = missing

    def due(self) -> list[bytes]:
        """Return the hashes of at most :data:`MAX_DUE` packs to publish now, in this order."""
        now = self._now_ms()
        due = sorted(
            (due, place, digest) for place, (digest, due) in enumerate(self._missing.items())
        )
        return [digest for at, _, digest in due if at <= now][:MAX_DUE]

    def pause_ms(self) -> int | None:
        """Return the milliseconds until the next pack is due; None = none is missing."""
        first = min(self._missing.values(), default=None)
        return None if first is None else max(0, first - self._now_ms())

    def published(self, digest: bytes, sequence: int) -> None:
        """Note that the hub has stored a pack."""
        self._record.acknowledged(digest, sequence)
        self._missing.pop(digest, None)

    def postpone(self, digest: bytes, by_ms: int) -> None:
        """Publish a pack later, unless it is read from the hub by then."""
        self._missing[digest] = self._now_ms() + by_ms

    def skip(self, digest: bytes) -> None:
        """Do not publish a rejected pack again until the next :meth:`begin`."""
        self._skipped.add(digest)
        self._missing.pop(digest, None)

    def read_roster(self, message: bytes) -> bool:
        """
        Process a roster that the hub sent.

        Args:
            message: untrusted bytes.

        Returns:
            Whether the roster was newer than the stored one, and has replaced it.

        Raises:
            RosterError: if the message is not a valid roster of this fleet.
        """
        try:
            is_newer = message != self._ledger.roster_message and self._ledger.set_roster(message)
        except RosterError:
            # The invalid message may have replaced the roster in the hub, which keeps one message
            # for each subject.
            self._roster = None
            raise
        if is_newer or message == self._ledger.roster_message:
            self._roster = message
        return is_newer

    def roster_due(self) -> bytes | None:
        """
        Return the roster to publish; None = the hub has it, or this member has none.

        Call it only after all rosters of the hub were read.
        """
        newest = self._ledger.roster_message
        return None if newest == self._roster else newest

    def published_roster(self, message: bytes) -> None:
        """Note that the hub has acknowledged the roster of :meth:`roster_due`."""
        self._roster = message

    def _delay_ms(self) -> int:
        first, last = self._others_after_ms
        return int(first + (last - first) * self._random())

    def _save_position(self) -> None:
        if self._read is not None:
            sequence, message, received_ms = self._read
            self._record.set_position(sequence, _mark(message, received_ms))
        self._read, self._num_unsaved = None, 0


def _mark(message: bytes, received_ms: int) -> bytes:
    return hashlib.sha256(received_ms.to_bytes(8, 'big') + message).digest()
