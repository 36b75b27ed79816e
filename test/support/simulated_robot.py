# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A robot of a simulated fleet: its ledger and its disk, which may be restored or copied."""

from __future__ import annotations

import random

from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub.exchange import Exchange
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.ledger.sealing import Draft
from support.fleet_members import draft, FLEET, NOW_MS, relabel, robot_key, sample_id, SPACE
from support.simulated_hub import Hub

MAX_PACK_BYTES = 700
"""Small, so that a few claims need several packs."""

OTHERS_AFTER_MS = (0, 5_000)

AMPLE = 3000
"""A budget of messages that no robot needs."""


class World:
    """What all robots share: the time, chance, and what has happened so far."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS
        self.random = random.Random(7)
        self.acknowledged: set[bytes] = set()
        """Hashes of the packs that a hub has acknowledged, unless the last copy was destroyed."""
        self.outcomes: dict[str, int] = {}

    def note_receipt(self, outcome: str) -> None:
        """Count an outcome, so that a test can check what has happened."""
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1


class Disk:
    """
    What a robot has on its disk: its ledger, its samples, and which of them it has claimed.

    Args:
        ledger: the ledger.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.labels: dict[int, str] = {}
        self.claimed: set[int] = set()
        self.answers: dict[int, str] = {}


class Robot:
    """
    A robot, or another one that was given a copy of its disk.

    Args:
        world: what it shares with the other robots.
        number: its number, which decides its key.
    """

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.number = number
        self.key: Key = robot_key(number)
        # One of them believes that it is a quarter of an hour later.
        self.skew_ms = 900_000 * (number == 4)
        self.disk = Disk(self._new_ledger())
        self.backup = self.copy_disk()
        self._links: dict[str, tuple[Exchange, int]] = {}

    @property
    def ledger(self) -> Ledger:
        return self.disk.ledger

    def copy_disk(self) -> Disk:
        """Return a copy of the disk."""
        copy = Disk(self._new_ledger())
        self.disk.ledger._database._connection.backup(copy.ledger._database._connection)
        copy.labels, copy.claimed = dict(self.disk.labels), set(self.disk.claimed)
        copy.answers = dict(self.disk.answers)
        return copy

    def restore(self, disk: Disk) -> None:
        """Go on with an earlier disk, or with that of another robot."""
        self.disk = disk
        self.backup = self.copy_disk()
        self.cut()

    def cut(self, hub: str = '') -> None:
        """Lose the connection to a hub; '' = to all."""
        for name in [hub] if hub else list(self._links):
            self._links.pop(name, None)

    def teach(self, value: int, label: str) -> None:
        """Label an own sample; '' = remove it."""
        if label:
            self.disk.labels[value] = label
        else:
            self.disk.labels.pop(value, None)
        self.scan()

    def answer(self, value: int, label: str) -> None:
        """Label the sample of another robot."""
        self.disk.answers[value] = label
        self.scan()

    def scan(self, *, erased: bool = False) -> None:
        """Claim what has changed among the samples."""
        claims = self.ledger.own_claims()
        stated = {sample: claim.label for sample, claim in claims.items()}
        drafts = [
            draft(value, label)
            for value, label in self.disk.labels.items()
            if stated.get(sample_id(value), '') != label
        ]
        drafts += [
            relabel(value, label)
            for value, label in self.disk.answers.items()
            if value not in self.disk.labels and stated.get(sample_id(value), '') != label
        ]
        drafts += [
            Draft(sample_id(value), '', 'today', erased=erased)
            for value in sorted(self.disk.claimed - self.disk.labels.keys())
            if stated.get(sample_id(value), '') and value not in self.disk.answers
        ]
        self.disk.claimed |= self.disk.labels.keys()
        self.ledger.claim(drafts)

    def synchronize(self, hub: Hub, budget: int) -> int:
        """
        Exchange messages with a hub, until the link is cut in between.

        Args:
            hub: the hub.
            budget: how many messages and acknowledgements come through.

        Returns:
            How much of it was used.
        """
        left = budget
        exchange, after = self._links.get(hub.name) or self._connect(hub)
        while left:
            if exchange.must_reread:
                after = self._begin(exchange, hub)
            if after <= len(hub.messages):
                stored = hub.message_at(after)
                if stored is not None:
                    receipt = exchange.read(stored[0], after, stored[1])
                    self.world.note_receipt(receipt.outcome)
                    left -= 1
                after += 1
                self._links[hub.name] = exchange, after
                continue
            self.scan()
            exchange.caught_up()
            due = exchange.due()
            for digest in due[:left]:
                left -= 1
                sequence = hub.publish(self.ledger.message(digest), self.world.now_ms)
                if left == 0 and budget < AMPLE:
                    # The link is cut before the acknowledgement.
                    self.cut(hub.name)
                    break
                exchange.published(digest, sequence)
                self.world.acknowledged.add(digest)
            if not due:
                break
        assert left or budget < AMPLE, 'the robot publishes the same again and again'
        return budget - left

    def exchange_rosters(self, hub: Hub) -> bool:
        """Read the rosters of a hub and publish a newer one; return whether it was needed."""
        exchange, _ = self._links.get(hub.name) or self._connect(hub)
        for message in hub.rosters.values():
            exchange.read_roster(message)
        newest = exchange.roster_due()
        if newest is None:
            return False
        hub.rosters[self.key.public] = newest
        exchange.published_roster(newest)
        return True

    def _connect(self, hub: Hub) -> tuple[Exchange, int]:
        exchange = Exchange(
            self.ledger,
            hub.name,
            self.key,
            max_bytes=MAX_PACK_BYTES,
            others_after_ms=OTHERS_AFTER_MS,
            now_ms=lambda: self.world.now_ms,
            random=self.world.random.random,
        )
        return exchange, self._begin(exchange, hub)

    def _begin(self, exchange: Exchange, hub: Hub) -> int:
        stored = hub.message_at(exchange.remembered)
        first = exchange.begin(*stored) if stored is not None else exchange.begin(None)
        self._links[hub.name] = exchange, first
        return first

    def _new_ledger(self) -> Ledger:
        return Ledger(
            ':memory:',
            SPACE,
            me=self.key.public,
            fleet=FLEET.public,
            now_ms=lambda: self.world.now_ms + self.skew_ms,
        )
