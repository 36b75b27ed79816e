# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Which packs count and which label a sample has, by the rules, as simply as can be."""

from __future__ import annotations

from collections.abc import Collection

from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.evidence.hybrid_clock import is_ahead
from edgetpu_retrain.fleet.evidence.pack import Pack
from edgetpu_retrain.fleet.roster.roster import Roster


def is_accepted(pack: Pack, roster: Roster) -> bool:
    """Return whether the roster accepts a pack, and members pass it on."""
    member = roster.member(pack.origin)
    if member is None or not roster.role_of(pack.origin):
        return False
    return member.keep is None or pack.number <= member.keep.get(pack.epoch, (-1, b''))[0]


def counted_packs(packs: Collection[Pack], roster: Roster) -> list[Pack]:
    """Return the packs whose claims count."""
    result: list[Pack] = []
    for origin, epoch in {(pack.origin, pack.epoch) for pack in packs}:
        chain = [pack for pack in packs if (pack.origin, pack.epoch) == (origin, epoch)]
        member = roster.member(origin)
        if member is None or (member.keep is None and not roster.role_of(origin)):
            continue
        if member.keep is None:
            result += _unforked(chain, 2**60)
        elif epoch in member.keep:
            last, head = member.keep[epoch]
            by_hash = {pack.hash: pack for pack in chain}
            result += _ancestors(by_hash, head) if head in by_hash else _unforked(chain, last + 1)
    return result


def labels(
    packs: Collection[Pack], roster: Roster, now_ms: int
) -> dict[bytes, tuple[str, str, str]]:
    """Return label, key and role of the winner of each sample that somebody claims."""
    latest: dict[bytes, dict[str, tuple[tuple[int, str, int, int], Claim]]] = {}
    for pack in counted_packs(packs, roster):
        for position, claim in enumerate(pack.claims):
            order = claim.clock, pack.epoch, pack.number, position
            allowed = roster.allows(pack.origin, claim.label, claim.clock)
            if not allowed or is_ahead(claim.clock, now_ms):
                continue
            of_sample = latest.setdefault(claim.sample, {})
            if pack.origin not in of_sample or of_sample[pack.origin][0] < order:
                of_sample[pack.origin] = order, claim
    result = {}
    for sample, opinions in latest.items():
        standing = [
            (roster.role_of(key) == 'teach', claim.clock, key, claim.label)
            for key, (_, claim) in opinions.items()
            if claim.label
        ]
        if standing:
            _, _, key, label = max(standing)
            result[sample] = label, key, roster.role_of(key)
    return result


def _unforked(chain: list[Pack], end: int) -> list[Pack]:
    result: list[Pack] = []
    while len(result) < end:
        following = [pack for pack in chain if pack.number == len(result)]
        if len(following) != 1 or not _continues(following[0], result[-1] if result else None):
            break
        result += following
    return result


def _ancestors(by_hash: dict[bytes, Pack], head: bytes) -> list[Pack]:
    result = [by_hash[head]]
    while result[-1].number:
        before = by_hash.get(result[-1].previous)
        if before is None or not _continues(result[-1], before):
            return []
        result.append(before)
    return result if _continues(result[-1], None) else []


def _continues(pack: Pack, before: Pack | None) -> bool:
    if before is None:
        return pack.number == 0 and pack.claims[0].sequence == 0
    sequence = before.claims[-1].sequence + 1
    return (pack.previous, pack.claims[0].sequence) == (before.hash, sequence)
