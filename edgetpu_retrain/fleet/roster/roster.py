# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Roster: who may do what in a fleet.

The base station signs it with the key of the fleet.  Which claims count depends on the roster and
the packs alone, so that every robot decides the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import fnmatch
from functools import cached_property
import re

from edgetpu_retrain.fleet.evidence.hybrid_clock import physical_ms

ROLES = ('read', 'propose', 'teach', 'release')
"""What a member may do; 'teach' includes 'propose'."""

KeepMap = Mapping[str, tuple[int, bytes]]


@dataclass(frozen=True)
class Member:
    """
    A member of the fleet: its key, and what it may do.

    Args:
        key: the public key, 'U...'.
        name: name of the robot or person, for messages.
        roles: some of :data:`ROLES`.
        labels: patterns, with shell wildcards, of the labels that it may claim; empty = all
            labels.
        expires_ms: claims made after this time do not count, milliseconds since 1970; None =
            never.
        keep: for a key that was revoked or retired, number and hash of the last pack that counts,
            by epoch; its ancestors count as well, and nothing else does.  None = the key was not
            revoked or retired.
        may_connect: whether the hub lets it connect.
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
        version: goes up with each change.
        issued_ms: when it was signed, milliseconds since 1970.
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

    def allows(self, key: str, label: str, clock: int) -> bool:
        """
        Return whether a claim of a key counts.

        Args:
            key: the public key that signed it.
            label: its label; '' is a tombstone, which needs no permission for a label.
            clock: its clock, by which a key expires.
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
