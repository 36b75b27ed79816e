# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""FleetEvidence: the samples that a robot can train on, in the same order on every robot."""

from __future__ import annotations

from dataclasses import dataclass
import sqlite3
from typing import Any

from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace, ID_BYTES
from edgetpu_retrain.fleet.ledger.winners import claim_rows, Judge, resolve_all, Resolved
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class FleetEvidence:
    """
    Samples with their labels, ordered by id.

    Args:
        ids: ids of the samples, uint8 ``[N, 32]``.
        raw: their embeddings, ``[N, D]``, of the dtype that the extractor outputs.
        labels: their labels, N texts.
        recordings: their recordings, N texts, see :class:`Resolved`.
        keys: the public key whose claim decided each label, N texts.
        roles: the role of that key, 'teach' or 'propose', N texts.
        clocks: the clock of the deciding claim, int64 ``[N]``.
    """

    ids: npt.NDArray[np.uint8]
    raw: npt.NDArray[Any]
    labels: list[str]
    recordings: list[str]
    keys: list[str]
    roles: list[str]
    clocks: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


def read_evidence(
    connection: sqlite3.Connection, space: EmbeddingSpace, judge: Judge, latest: int
) -> FleetEvidence:
    """
    Return the samples whose label is decided by a teacher or by this robot (``judge.me``).

    Samples without an embedding are left out.

    Args:
        connection: a connection that sees a snapshot.
        space: the space of the samples.
        judge: decides which claims count.
        latest: the greatest clock of a claim that counts.
    """
    rows = claim_rows(connection, judge, latest=latest)
    believed: dict[int, Resolved] = {
        each.sample: each
        for each in resolve_all(rows, judge)
        if each.role == 'teach' or each.key == judge.me
    }
    # Embeddings that came only with packs that do not count are ignored, because other robots may
    # not have them: members do not republish packs that the roster does not accept.
    present = connection.execute(
        'SELECT id, sample FROM samples WHERE embedding IS NOT NULL AND id IN ('
        'SELECT sample FROM claims JOIN packs ON packs.id = pack '
        'JOIN chains ON chains.id = chain '
        'WHERE brought AND (counts OR (origin = ? AND number < linked)) '
        "UNION ALL SELECT sample FROM drafts WHERE brought AND ? != '') ORDER BY sample",
        (judge.unlisted, judge.me),
    )
    found = [(sample, believed[row]) for row, sample in present if row in believed]
    places = {each.sample: place for place, (_, each) in enumerate(found)}
    kind = space.kind
    raw = np.empty((len(found), kind.dimension), kind.disk_dtype)
    # Reading rows in the order of storage is much faster than in the order of sample ids.
    for row, embedding in connection.execute(
        'SELECT id, embedding FROM samples WHERE embedding IS NOT NULL ORDER BY id'
    ):
        if row in places:
            raw[places[row]] = kind.from_disk(embedding)
    ids = b''.join(sample for sample, _ in found)
    return FleetEvidence(
        np.frombuffer(ids, np.uint8).reshape(-1, ID_BYTES),
        raw,
        [each.label for _, each in found],
        [each.recording for _, each in found],
        [each.key for _, each in found],
        [each.role for _, each in found],
        np.array([each.clock for _, each in found], np.int64),
    )
