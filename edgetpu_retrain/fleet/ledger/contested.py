# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Samples whose label a person should decide: proposals, and disagreements between teachers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
import hashlib
import json
import sqlite3
from typing import NamedTuple

from edgetpu_retrain.fleet.ledger.winners import claim_rows, Judge, resolve_all, Resolved


class Contested(NamedTuple):
    """
    A sample whose label a person should decide.

    Args:
        sample: the sample's id in the fleet.
        label: the label that the sample has now.
        recording: the recording of the sample, see :class:`Resolved`.
        claims: the label that each key claims, by key.
        digest: a SHA-256 of ``claims``, 64 hexadecimal digits.
    """

    sample: bytes
    label: str
    recording: str
    claims: dict[str, str]
    digest: str


def proposals(
    connection: sqlite3.Connection, judge: Judge, latest: int, limit: int
) -> list[Contested]:
    """
    Return the samples that have a proposed label, and no label of a teacher.

    Args:
        connection: a connection that sees a snapshot.
        judge: decides which claims count.
        latest: the greatest clock of a claim that counts.
        limit: the maximum number of samples.  The keys whose claims decide the labels take turns;
            of each key, the earliest claims come first.
    """
    keys = [each.key for each in judge.roster.members] if judge.roster is not None else []
    proposing = [key for key in keys if judge.role_of(key) == 'propose']
    rows = claim_rows(
        connection,
        judge,
        latest=latest,
        samples='SELECT sample FROM claims JOIN packs ON packs.id = pack '
        'JOIN chains ON chains.id = chain WHERE counts AND origin IN '
        '(SELECT value FROM json_each(?))',
        parameters=(json.dumps(proposing),),
    )
    found = (each for each in resolve_all(rows, judge) if each.role == 'propose')
    return _contested(connection, found, limit)


def disagreements(
    connection: sqlite3.Connection, judge: Judge, latest: int, limit: int
) -> list[Contested]:
    """
    Return the samples about which teachers disagree.

    A sample is left out if more than half of the teachers who label it claim its current label.

    The arguments are those of :func:`proposals`.
    """
    rows = claim_rows(
        connection,
        judge,
        latest=latest,
        samples="SELECT sample FROM claims WHERE label != '' GROUP BY sample "
        'HAVING MIN(label) != MAX(label)',
    )
    found = (each for each in resolve_all(rows, judge) if not _is_settled(each, judge))
    return _contested(connection, found, limit)


def _is_settled(resolved: Resolved, judge: Judge) -> bool:
    votes = Counter(
        label for key, label in resolved.labels.items() if judge.role_of(key) == 'teach'
    )
    return len(votes) < 2 or 2 * votes[resolved.label] > votes.total()


def _contested(
    connection: sqlite3.Connection, found: Iterable[Resolved], limit: int
) -> list[Contested]:
    result = []
    # The keys take turns, so that a key with many samples cannot crowd out the others.
    place = Counter[str]()
    turns = []
    for each in sorted(found, key=lambda each: each.clock):
        place[each.key] += 1
        turns.append((place[each.key], each))
    for _, each in sorted(turns, key=lambda turn: (turn[0], turn[1].clock))[:limit]:
        (sample,) = connection.execute(
            'SELECT sample FROM samples WHERE id = ?', (each.sample,)
        ).fetchone()
        digest = hashlib.sha256(json.dumps(each.labels, sort_keys=True).encode()).hexdigest()
        result.append(Contested(sample, each.label, each.recording, each.labels, digest))
    return result
