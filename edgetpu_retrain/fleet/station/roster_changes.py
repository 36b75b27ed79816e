# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The operator's changes to a roster, as functions that return the changed roster."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.fleet.roster.roster import KeepMap, Member, ROLES, Roster
from edgetpu_retrain.wording import named, quoted


def add_member(roster: Roster, member: Member) -> Roster:
    """
    Add a member.

    Raises:
        RequestError: if another member that may connect has the same name.
    """
    if any(each.name == member.name and each.may_connect for each in roster.members):
        raise RequestError(
            f'there is a member {quoted(member.name)} already: give another name, or retire that '
            'one first'
        )
    return replace(roster, members=(*roster.members, member))


def remove_member(roster: Roster, key: str, keep: KeepMap) -> Roster:
    """
    Forbid a member to connect, and limit which of its packs count.

    Packs that an earlier removal excluded stay excluded.

    Args:
        roster: the roster.
        key: public key of the member.
        keep: number and hash of the last pack that still counts, by epoch; no pack of any other
            epoch counts.
    """

    def changed(member: Member) -> Member:
        return replace(member, keep=_smaller(member.keep, keep), may_connect=False)

    return _with_changed(roster, key, changed)


def change_member(
    roster: Roster,
    key: str,
    *,
    roles: frozenset[str] | None,
    labels: tuple[str, ...] | None,
    expires_ms: int | None,
) -> Roster:
    """
    Change the roles, label patterns or time of expiry of a member; None = unchanged.

    Raises:
        RequestError: if the member was revoked or retired.
    """

    def changed(member: Member) -> Member:
        if not member.may_connect:
            raise RequestError(
                f'{quoted(member.name)} was revoked or retired, which is for ever: add it anew'
            )
        return replace(
            member,
            roles=member.roles if roles is None else roles,
            labels=member.labels if labels is None else labels,
            expires_ms=member.expires_ms if expires_ms is None else expires_ms,
        )

    return _with_changed(roster, key, changed)


def erase_samples(roster: Roster, samples: Iterable[bytes]) -> Roster:
    """Add samples to those whose bytes no member may keep."""
    return replace(roster, erased=roster.erased | frozenset(samples))


def find_member(roster: Roster, name: str) -> Member:
    """
    Return the member with a name or public key; of several, the one that may connect.

    Raises:
        RequestError: if there is no such member, or more than one remains.
    """
    found = [each for each in roster.members if name in {each.key, each.name}]
    if len(found) > 1:
        found = [each for each in found if each.may_connect] or found
    if not found:
        names = sorted({each.name for each in roster.members})
        raise RequestError(f'there is no member {quoted(name)}; there are {named(names)}')
    if len(found) > 1:
        keys = [each.key for each in found]
        raise RequestError(f'{quoted(name)} is the name of several keys, give one: {named(keys)}')
    return found[0]


def read_roles(roles: Iterable[str]) -> frozenset[str]:
    """Return roles as a set, with 'read' added; raise RequestError if one is not known."""
    wanted = frozenset(roles)
    if unknown := wanted - set(ROLES):
        raise RequestError(f'{quoted(min(unknown))} is not a role: use {", ".join(ROLES)}')
    return wanted | {'read'}


def _with_changed(roster: Roster, key: str, change: Callable[[Member], Member]) -> Roster:
    members = tuple(change(each) if each.key == key else each for each in roster.members)
    return replace(roster, members=members)


def _smaller(old: KeepMap | None, new: KeepMap) -> KeepMap:
    """Return, for each epoch, the last pack that counts according to both maps."""
    if old is None:
        return new
    return {
        epoch: min(head, new[epoch], key=lambda each: each[0])
        for epoch, head in old.items()
        if epoch in new
    }
