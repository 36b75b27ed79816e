# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
A fleet in one thread: robots, hubs and what goes wrong between them, without a network.

Everything that is decided is decided by the package: by Ledger and Exchange.  What is simulated
is the network, the streams of the hubs, the disks, and the people.
"""

from __future__ import annotations

from edgetpu_retrain.fleet.evidence.pack import decode, encode
from edgetpu_retrain.fleet.roster import roster_message
from edgetpu_retrain.fleet.roster.roster import Member, Roster
from edgetpu_retrain.fleet.station.received_packs import heads
from support.fleet_members import FLEET, missing_packs, sample_id, SPACE
from support.simulated_hub import Hub, pack_hash
from support.simulated_robot import AMPLE, OTHERS_AFTER_MS, Robot, World


class SimulatedFleet(World):
    """
    Robots, of which the first is the base station, and hubs.

    Args:
        num_robots: number of robots.
        num_hubs: number of hubs.
    """

    def __init__(self, num_robots: int, num_hubs: int) -> None:
        super().__init__()
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
        self.robots[0].ledger.set_roster(self._signed_roster())
        self.robots[0].backup = self.robots[0].copy_disk()

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
                    used += robot.synchronize(hub, AMPLE)
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
            twin.synchronize(hub, AMPLE)

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
