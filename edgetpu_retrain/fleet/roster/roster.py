# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Roster: who may do what in a fleet.

The base station signs the roster with the key of the fleet.  All robots decide from the roster and
the packs which claims of others count, so robots with the same roster and packs agree.  A robot's
own claims may count on this robot alone, see ledger/winners.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import fnmatch
from functools import cached_property
import re

from edgetpu_retrain.fleet.evidence.hybrid_clock import physical_ms

ROLES = ('read', 'propose', 'teach', 'release')
"""What a member may do, see docs/fleet.md; 'teach' includes 'propose'."""

KeepMap = Mapping[str, tuple[int, bytes]]


@dataclass(frozen=True)
class Member:
    """
    A member of the fleet: its key, and what it may do.

    Args:
        key: the public key, 'U...'.
        name: name of the robot or person, for messages.
        roles: some of :data:`ROLES`.
        labels: patterns, with shell wildcards, of the labels that the member may claim;
            empty = all labels.
        expires_ms: claims made after this time do not count, milliseconds since 1970; None = the
            member does not expire.
        keep: for a key that was revoked or retired, number and hash of the last pack that counts,
            by epoch; of the other packs, only those before it in its chain count.  None = the key
            was not revoked or retired.
        may_connect: whether the hub lets the member connect.
    """

    key: str
    name: str
    roles: frozenset[str]
    labels: tuple[str, ...] = ()
    expires_ms: int | None = None
    keep: KeepMap | None = None
    may_connect: bool = True

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """The compiled patterns of :attr:`labels`."""
        return tuple(re.compile(fnmatch.translate(pattern)) for pattern in self.labels)


@dataclass(frozen=True)
class Roster:
    """
    The members of a fleet.

    Args:
        fleet: public key of the fleet, 'A...'.
        version: increases with each change.
        issued_ms: when the roster was signed, milliseconds since 1970.
        members: all members, including former ones.
        erased: ids of the samples whose bytes nobody may keep.
    """

    fleet: str
    version: int
    issued_ms: int
    members: tuple[Member, ...] = ()
    erased: frozenset[bytes] = frozenset()

    def member(self, key: str) -> Member | None:
        """Return the member with a public key; None if there is none."""
        return self._members.get(key)

    def role_of(self, key: str) -> str:
        """Return the role of a key's claims: 'teach', 'propose', or '' if they do not count."""
        member = self._members.get(key)
        roles = member.roles if member is not None else ()
        return next((role for role in ('teach', 'propose') if role in roles), '')

    def may_release(self, key: str) -> bool:
        """Return whether robots take the releases of a key."""
        member = self._members.get(key)
        return member is not None and 'release' in member.roles and member.may_connect

    def allows(self, key: str, label: str, clock: int) -> bool:
        """
        Return whether the roster permits a claim.

        Args:
            key: the public key that signed the claim.
            label: label of the claim; '' = a tombstone, for which the member's label patterns do
                not matter.
            clock: clock of the claim, which must not be later than the member's ``expires_ms``.
        """
        member = self._members.get(key)
        if member is None or not self.role_of(key):
            return False
        if member.expires_ms is not None and physical_ms(clock) > member.expires_ms:
            return False
        patterns = member.patterns if label else ()
        return not patterns or any(pattern.match(label) for pattern in patterns)

    @cached_property
    def _members(self) -> dict[str, Member]:
        return {member.key: member for member in self.members}
