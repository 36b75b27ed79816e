# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""LedgerFile: the file of a ledger, with the roster that decides which claims count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
import sqlite3
from types import TracebackType
from typing import TypeVar

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.evidence.hybrid_clock import HybridClock, time_ms
from edgetpu_retrain.fleet.ledger.chains import apply_roster
from edgetpu_retrain.fleet.ledger.database import FleetDatabase
from edgetpu_retrain.fleet.ledger.erasure import all_suspects, settle
from edgetpu_retrain.fleet.ledger.hubs.hub_record import look_at_all_packs
from edgetpu_retrain.fleet.ledger.hubs.rereading import read_again
from edgetpu_retrain.fleet.ledger.winners import Judge, latest_clock
from edgetpu_retrain.fleet.roster import roster_message
from edgetpu_retrain.fleet.roster.roster import Roster
from edgetpu_retrain.fleet.roster.roster_message import precedence

_ROSTER, _SPACE = 'roster', 'space'

_Self = TypeVar('_Self', bound='LedgerFile')


class LedgerFile:
    """
    A fleet database of one embedding space, with the robot's clock and the newest roster.

    Args:
        path: the file, which is created if it is missing; ':memory:' = no file.
        space: the embedding space of this robot.
        me: public key of this robot; '' = the robot makes no claims.
        fleet: public key of the fleet, with which rosters are verified; '' = no roster
            is valid.
        now_ms: returns the time of day, milliseconds since 1970.

    Raises:
        StoreError: if the file cannot be opened, belongs to another program, was written by a
            newer release, or has samples of another embedding space.
    """

    def __init__(
        self,
        path: Path | str,
        space: EmbeddingSpace,
        *,
        me: str = '',
        fleet: str = '',
        now_ms: Callable[[], int] = time_ms,
    ) -> None:
        self.space = space
        self.me = me
        self.fleet = fleet
        self._now_ms = now_ms
        self._clock = HybridClock(now_ms)
        self._refused: Counter[str] = Counter()
        self._roster_read: tuple[bytes, Roster] | None = None
        self._database = FleetDatabase(path)
        try:
            with self._database.transaction('open') as connection:
                self._check_space(connection)
                (latest,) = connection.execute(
                    'SELECT MAX(clock) FROM (SELECT MAX(clock) AS clock FROM drafts UNION ALL '
                    'SELECT MAX(clock) FROM claims WHERE clock <= ?)',
                    (latest_clock(now_ms()),),
                ).fetchone()
            self._clock.observe(latest or 0)
        except BaseException:
            self.close()
            raise

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def set_roster(self, message: bytes) -> bool:
        """
        Store a roster if it is newer than the stored one, see :func:`.roster_message.precedence`.

        Args:
            message: untrusted bytes.

        Returns:
            Whether the roster was newer, and is stored now.

        Raises:
            RosterError: if the message is not a valid roster of this fleet.
        """
        offered = roster_message.read(message, self.fleet)
        with self._database.transaction('store the roster in') as connection:
            stored = self._read_roster(connection)
            if stored is not None and precedence(message, offered) <= precedence(*stored):
                return False
            connection.execute(
                'INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)', (_ROSTER, message)
            )
            apply_roster(connection, offered)
            read_again(connection)
            look_at_all_packs(connection)
            judge = Judge(offered, self.me)
            has_erased = settle(connection, all_suspects(connection, judge), judge)
        if has_erased:
            self._database.empty_log()
        return True

    @property
    def roster(self) -> Roster | None:
        """The newest roster; None if there is none yet."""
        with self._database.looking('read the roster of') as connection:
            stored = self._read_roster(connection)
            return stored and stored[1]

    @property
    def roster_message(self) -> bytes | None:
        """The newest roster, as the signed message; None if there is none yet."""
        with self._database.looking('read the roster of') as connection:
            stored = self._read_roster(connection)
            return stored and stored[0]

    @property
    def _latest(self) -> int:
        return latest_clock(self._now_ms())

    def _judge(self, connection: sqlite3.Connection, *, own: bool = True) -> Judge:
        stored = self._read_roster(connection)
        return Judge(stored and stored[1], self.me if own else '')

    def _read_roster(self, connection: sqlite3.Connection) -> tuple[bytes, Roster] | None:
        row = connection.execute('SELECT value FROM facts WHERE name = ?', (_ROSTER,)).fetchone()
        if row is None:
            return None
        # Parse the message only if it has changed since the last call.
        read = self._roster_read
        if read is None or read[0] != row[0]:
            read = self._roster_read = row[0], roster_message.read(row[0], self.fleet)
        return read

    def _check_space(self, connection: sqlite3.Connection) -> None:
        space = self.space.id.encode()
        connection.execute('INSERT OR IGNORE INTO facts VALUES (?, ?)', (_SPACE, space))
        (stored,) = connection.execute(
            'SELECT value FROM facts WHERE name = ?', (_SPACE,)
        ).fetchone()
        if stored != space:
            raise StoreError(
                f'{self._database.path} has the samples of another extractor (embedding space '
                f'{stored.decode()[:16]}; that of this robot is {self.space.token}): nothing was '
                'changed. What to do: move it away and start again; the samples of this robot '
                'are claimed anew.'
            )
