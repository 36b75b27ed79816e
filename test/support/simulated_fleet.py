# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
A fleet in one thread: robots, hubs and what goes wrong between them, without a network.

Everything that is decided is decided by the package: by Ledger and Exchange.  What is simulated
is the network, the streams of the hubs, the disks, and the people.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
import random

from edgetpu_retrain.errors import PackError
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.evidence.pack import decode, encode, peek, read_header
from edgetpu_retrain.fleet.hub.exchange import Exchange
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.ledger.sealing import Draft
from edgetpu_retrain.fleet.roster import roster_message
from edgetpu_retrain.fleet.roster.roster import Member, Roster
from edgetpu_retrain.fleet.station.received_packs import heads, ReceivedPack
from support.fleet_members import (
    draft,
    FLEET,
    missing_packs,
    NOW_MS,
    relabel,
    robot_key,
    sample_id,
    SPACE,
)

MAX_PACK_BYTES = 700
"""Small, so that a few claims need several packs."""

DEDUPLICATED = 3
"""How many of the last messages a hub compares with a new one."""

OTHERS_AFTER_MS = (0, 5_000)


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
        fleet: the fleet.
        number: its number, which decides its key.
    """

    def __init__(self, fleet: SimulatedFleet, number: int) -> None:
        self.fleet = fleet
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
                exchange, after = self._connect(hub)
            if after <= len(hub.messages):
                stored = hub.message_at(after)
                if stored is not None:
                    receipt = exchange.read(stored[0], after, stored[1])
                    self.fleet.note_receipt(receipt.outcome)
                    left -= 1
                after += 1
                self._links[hub.name] = exchange, after
                continue
            self.scan()
            exchange.caught_up()
            due = exchange.due()
            for digest in due[:left]:
                left -= 1
                sequence = hub.publish(self.ledger.message(digest), self.fleet.now_ms)
                if left == 0 and budget < self.fleet.ample:
                    # The link is cut before the acknowledgement.
                    self.cut(hub.name)
                    break
                exchange.published(digest, sequence)
                self.fleet.acknowledged.add(digest)
            if not due:
                break
        assert left or budget < self.fleet.ample, 'the robot publishes the same again and again'
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
            now_ms=lambda: self.fleet.now_ms,
            random=self.fleet.random.random,
        )
        stored = hub.message_at(exchange.remembered)
        first = exchange.begin(*stored) if stored is not None else exchange.begin(None)
        self._links[hub.name] = exchange, first
        return exchange, first

    def _new_ledger(self) -> Ledger:
        return Ledger(
            ':memory:',
            SPACE,
            me=self.key.public,
            fleet=FLEET.public,
            now_ms=lambda: self.fleet.now_ms + self.skew_ms,
        )


class SimulatedFleet:
    """
    Robots, of which the first is the base station, and hubs.

    Args:
        num_robots: number of robots.
        num_hubs: number of hubs.
    """

    ample = 3000
    """A budget that no robot needs."""

    def __init__(self, num_robots: int, num_hubs: int) -> None:
        self.now_ms = NOW_MS
        self.random = random.Random(7)
        self.robots = [Robot(self, number) for number in range(num_robots)]
        self.hubs = [Hub(f'hub {number}') for number in range(num_hubs)]
        self._hub_backups = [hub.copy() for hub in self.hubs]
        self._cut: set[tuple[int, int]] = set()
        self._version = 0
        self.members = {
            robot.number: Member(robot.key.public, '', frozenset({'teach'}))
            for robot in self.robots
        }
        self.erased: set[int] = set()
        self.acknowledged: set[bytes] = set()
        """Hashes of the packs that a hub has acknowledged, unless the last copy was destroyed."""
        self.outcomes: dict[str, int] = {}
        self.robots[0].ledger.set_roster(self._signed_roster())
        self.robots[0].backup = self.robots[0].copy_disk()

    def note_receipt(self, outcome: str) -> None:
        """Count an outcome, so that a test can check what has happened."""
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1

    def partition(self, cuts: int) -> None:
        """Cut links: bit ``robot + hub * number of robots`` of ``cuts``."""
        count = len(self.robots)
        self._cut = {
            (robot, hub)
            for robot in range(count)
            for hub in range(len(self.hubs))
            if cuts >> (robot + hub * count) & 1
        }
        for robot, hub in self._cut:
            self.robots[robot].cut(self.hubs[hub].name)

    def step(self, kind: str, first: int, second: int, third: int) -> None:
        """Let something happen; the numbers say to whom and how."""
        self.now_ms += 1 + third
        robot = self.robots[first % len(self.robots)]
        hub = second % len(self.hubs)
        if kind in ('synchronize', 'hostile'):
            if (robot.number, hub) not in self._cut:
                getattr(self, f'_{kind}')(robot, self.hubs[hub], third)
        elif kind == 'backup':
            robot.backup = robot.copy_disk()
        elif kind == 'restore':
            robot.restore(robot.backup)
        elif kind == 'hub_backup':
            self._hub_backups[hub] = self.hubs[hub].copy()
        elif kind == 'hub_restore':
            self._replace_hub(hub, self._hub_backups[hub].copy())
        elif kind == 'hub_loss':
            self._replace_hub(hub, Hub(self.hubs[hub].name))
        elif kind == 'clone':
            self._clone(robot, self.robots[1 + second % (len(self.robots) - 1)])
        else:
            getattr(self, f'_{kind}')(robot, second, third)
        if kind in ('restore', 'clone', 'hub_restore', 'hub_loss'):
            self.acknowledged &= self._existing()

    def heal(self, max_rounds: int) -> int:
        """
        Connect everything, and exchange until nothing is left to exchange.

        Returns:
            The number of rounds.
        """
        self._cut = set()
        for robot in self.robots:
            robot.skew_ms = 0
        for count in range(max_rounds):
            self.now_ms += 2 * OTHERS_AFTER_MS[1]
            used = 0
            for robot in self.robots:
                for hub in self.hubs:
                    used += robot.exchange_rosters(hub)
                    used += robot.synchronize(hub, self.ample)
            if not used:
                return count
        raise AssertionError(f'the fleet still exchanges messages after {max_rounds} rounds')

    def _teach(self, robot: Robot, second: int, third: int) -> None:
        robot.teach(robot.number * 100 + second % 8, 'abcd'[third % 4])

    def _remove(self, robot: Robot, second: int, third: int) -> None:
        if robot.disk.labels:
            robot.disk.labels.pop(sorted(robot.disk.labels)[second % len(robot.disk.labels)])
            robot.scan(erased=third % 2 == 0)

    def _answer(self, robot: Robot, second: int, third: int) -> None:
        other = self.robots[second % len(self.robots)]
        if other is not robot:
            robot.answer(other.number * 100 + third % 8, 'abcd'[second % 4])

    def _synchronize(self, robot: Robot, hub: Hub, third: int) -> None:
        robot.exchange_rosters(hub)
        robot.synchronize(hub, 1 + third)

    def _hostile(self, robot: Robot, hub: Hub, third: int) -> None:
        """Publish a pack out of order, again, or without bytes, or something that is no pack."""
        packs = sorted(missing_packs(robot.ledger, 'nowhere'))
        if not packs or third % 4 == 0:
            message = bytes([third % 256]) * third
        else:
            message = robot.ledger.message(packs[third % len(packs)])
            if third % 4 == 1:
                message = encode(decode(message, SPACE)[0], {})
            elif third % 4 == 2:
                message = message[:-1] + bytes([message[-1] ^ 1])
        hub.publish(message, self.now_ms)

    def _clone(self, robot: Robot, other: Robot) -> None:
        """Let another robot go on with a copy of a robot's disk, and both teach at once."""
        if robot is other:
            return
        other.key = robot.key
        other.restore(robot.copy_disk())
        for twin, hub, label in ((robot, self.hubs[0], 'a'), (other, self.hubs[-1], 'b')):
            twin.teach(robot.number * 100, label)
            twin.synchronize(hub, self.ample)

    def _roster(self, robot: Robot, second: int, third: int) -> None:
        """Let the station change a member: its role, or revoke it, or accept it again."""
        number = robot.number
        key = robot.key.public
        station = self.robots[0]
        hub = self.hubs[third % len(self.hubs)]
        roles = [{'teach'}, {'propose'}, {'propose'}, {'teach'}, {'read'}][third % 5]
        keep = None
        if second % 3 == 0:
            before = 1 + third % (len(hub.messages) + 1)
            keep = heads(hub.packs_of(key), lambda each: each.sequence < before)
        elif second % 3 == 1:
            keep = heads(hub.packs_of(key))
        self.members[number] = Member(
            key,
            '',
            frozenset(roles),
            labels=('[abc]',) if third % 7 == 0 else (),
            expires_ms=self.now_ms if third % 11 == 0 else None,
            keep=keep,
        )
        if third % 13 == 0:
            self.erased.add(number * 100 + second % 8)
        # A station that was restored from a backup uses a version again.
        self._version += third % 6 != 0
        station.ledger.set_roster(self._signed_roster())

    def _signed_roster(self) -> bytes:
        # Of robots with the same key only one is listed.
        members = {member.key: member for member in self.members.values()}
        erased = frozenset(map(sample_id, self.erased))
        roster = Roster(FLEET.public, self._version, self.now_ms, tuple(members.values()), erased)
        return roster_message.sign(roster, FLEET)

    def _replace_hub(self, number: int, hub: Hub) -> None:
        self.hubs[number] = hub
        for robot in self.robots:
            robot.cut(hub.name)

    def _existing(self) -> set[bytes]:
        """Return the hashes of all packs that are on a disk."""
        found = set()
        for robot in self.robots:
            connection = robot.ledger._database._connection
            found |= {digest for (digest,) in connection.execute('SELECT hash FROM packs')}
        for hub in self.hubs:
            for stored in hub.messages:
                if stored is not None:
                    found.add(pack_hash(stored[0]))
        return found


def pack_hash(message: bytes) -> bytes:
    """Return the hash of the pack in a message, empty if there is none."""
    try:
        return peek(message).hash
    except PackError:
        return b''
