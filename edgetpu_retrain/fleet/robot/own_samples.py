# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""OwnSamples: compares samples.db with what this robot has claimed, and claims the difference."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from sys import intern

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.evidence.pack import Payload
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.ledger.sealing import Draft
from edgetpu_retrain.fleet.robot.robot_tables import OwnRow, RobotTables
from edgetpu_retrain.fleet.robot.thumbnail import thumbnail
from edgetpu_retrain.label import check_label
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.store.samples.snapshot import Snapshot
from edgetpu_retrain.store.samples.stored_samples import RowStates, SampleRow

MAX_CLAIMS_A_SCAN = 5000
"""
Maximum number of claims in one scan; so many take about a second.  The next scan claims the rest.
"""

_CLAIMS_A_TIME = 250

# The claim about a sample: its label; '' = withdrawn; None = withdrawn and erased everywhere.
_Claimed = str | None
_WITHDRAWN, _ERASED = '', None


@dataclass(frozen=True)
class Scan:
    """
    The result of one scan.

    Args:
        claims: number of claims that were made.
        samples: number of samples that this robot claims now.
        is_complete: whether all changes are claimed; otherwise, scan again.
        unclaimable: number of samples that are not shared, because no fleet accepts their label.
        kept: number of samples that stay claimed although samples.db was replaced and no longer
            has them.
    """

    claims: int = 0
    samples: int = 0
    is_complete: bool = True
    unclaimable: int = 0
    kept: int = 0


class OwnSamples:
    """
    Compares samples.db with this robot's claims, and claims the difference.

    Of several samples with the same embedding, the newest one counts.  A sample is withdrawn when
    it is removed.  It is erased everywhere when it is erased on this robot, or when its removal
    can no longer be undone.  If samples.db was replaced, by a backup or because it was damaged,
    samples that the new file does not have stay claimed.  Row ids show that the file was replaced,
    because samples.db never reuses an id (AUTOINCREMENT).

    Only one thread at a time may use an instance.

    Args:
        samples: the robot's samples.db, which the caller closes.
        ledger: the claims of the fleet.
        tables: stores the rows that were scanned.
        space: the space of the samples to claim; samples of other extractors are ignored.
        share_pictures: whether new claims come with thumbnails.
    """

    def __init__(
        self,
        samples: SampleStore,
        ledger: Ledger,
        tables: RobotTables,
        space: EmbeddingSpace,
        *,
        share_pictures: bool = False,
    ) -> None:
        self._samples = samples
        self._ledger = ledger
        self._tables = tables
        self._space = space
        self._share_pictures = share_pictures
        # The scanned rows by their row id; None = read them from the tables first.
        self._rows: dict[int, OwnRow] | None = None
        # This robot's latest claim about each sample.
        self._claimed: dict[bytes, _Claimed] = {}
        # The recordings that this robot claims for its own samples.
        self._recordings: dict[bytes, str] = {}
        self._epoch: object = None
        self._seen: object = None
        self._last = Scan()

    def scan(self) -> Scan:
        """
        Claim what has changed since the last scan.

        If nothing has changed, no samples are read.

        Raises:
            StoreError: if samples.db or fleet.db cannot be read or written; the next scan claims
                what this one did not.
        """
        seen = self._samples.version(), self._ledger.epoch
        if seen == self._seen:
            return replace(self._last, claims=0)
        rows, self._seen = self._rows, None
        # Read the claims again in a new epoch, which is a new chain of packs, because earlier
        # claims may no longer count.
        if rows is None or self._ledger.epoch != self._epoch:
            rows, self._epoch = self._read(), self._ledger.epoch
        self._rows = None
        with self._samples.snapshot() as snapshot:
            self._last = self._compare(snapshot, rows)
        self._rows = rows
        self._seen = seen if self._last.is_complete else None
        return self._last

    def _read(self) -> dict[int, OwnRow]:
        claims = self._ledger.own_claims()
        self._claimed = {
            sample: _ERASED if claim.erased else intern(claim.label)
            for sample, claim in claims.items()
        }
        self._recordings = {
            sample: intern(claim.recording) for sample, claim in claims.items() if claim.recording
        }
        return {each.row: each for each in self._tables.own_rows()}

    def _compare(self, snapshot: Snapshot, rows: dict[int, OwnRow]) -> Scan:
        """Claim what differs, and update ``rows``."""
        states = RowStates.read(snapshot, self._space.extractor)
        there = states.removed | {row.sample_id: row.added_ns for row in states.live}
        vanished = [row for row in rows.values() if there.get(row.row) != row.added_ns]
        for row in vanished:
            del rows[row.row]
        unknown = [row for row in states.live if row.sample_id not in rows]
        learned = [self._learn(snapshot, row) for row in unknown[:MAX_CLAIMS_A_SCAN]]
        rows |= {row.row: row for row in learned}

        live = {rows[row.sample_id].sample: row for row in states.live if row.sample_id in rows}
        labels = {sample: row.label for sample, row in live.items() if _is_claimable(row.label)}
        # A row vanishes if its sample is erased, or if samples.db is replaced.  The file was
        # replaced if it has never used the id of the row, or uses the id for another sample.
        erased = [row for row in vanished if row.row <= states.last and row.row not in there]
        gone: dict[bytes, _Claimed] = {row.sample: _ERASED for row in erased}
        gone |= {rows[each].sample: _WITHDRAWN for each in states.removed if each in rows}
        gone |= dict.fromkeys(live, _WITHDRAWN)

        tombstones = self._tombstones({each: gone[each] for each in gone if each not in labels})
        changed = [each for each in labels if self._claimed.get(each) != labels[each]]
        later = tombstones[MAX_CLAIMS_A_SCAN:]
        tombstones = tombstones[:MAX_CLAIMS_A_SCAN]
        chosen = changed[: MAX_CLAIMS_A_SCAN - len(tombstones)]
        self._claim(tombstones)
        self._label(snapshot, {each: live[each] for each in chosen})
        # An erased row is remembered until its tombstone is claimed.
        waiting = {each.sample for each in later}
        rows |= {row.row: row for row in erased if row.sample in waiting}
        self._tables.change_own_rows(learned, [row.row for row in vanished if row.row not in rows])
        is_complete = not later and len(chosen) == len(changed) and len(learned) == len(unknown)
        kept = sum(bool(label) and each not in labels for each, label in self._claimed.items())
        return Scan(
            len(tombstones) + len(chosen),
            sum(map(bool, self._claimed.values())),
            is_complete,
            unclaimable=len(live) - len(labels),
            kept=kept if is_complete else self._last.kept,
        )

    def _learn(self, snapshot: Snapshot, row: SampleRow) -> OwnRow:
        sample = self._space.sample_id(self._embedding(snapshot, row.sample_id))
        return OwnRow(row.sample_id, sample, row.added_ns)

    def _tombstones(self, gone: dict[bytes, _Claimed]) -> list[Draft]:
        """Return the tombstones that are still to be claimed; an unclaimed sample needs none."""
        return [
            Draft(sample, '', '', erased=label is _ERASED)
            for sample, label in gone.items()
            if (claimed := self._claimed.get(sample)) is not _ERASED and claimed != label
        ]

    def _label(self, snapshot: Snapshot, rows: dict[bytes, SampleRow]) -> None:
        # The answer to a question does not change the sample's recording: it stays the one that
        # was claimed before the question, by another robot or by this one.
        asked = {each.sample for each in self._tables.asked()} if rows else set()
        self._claim(
            self._draft(snapshot, sample, row, is_own=sample not in asked)
            for sample, row in rows.items()
        )

    def _claim(self, drafts: Iterable[Draft]) -> None:
        drafts = iter(drafts)
        while some := list(islice(drafts, _CLAIMS_A_TIME)):
            self._ledger.claim(some)
            for each in some:
                self._claimed[each.sample] = _ERASED if each.erased else intern(each.label)
                if each.recording:
                    self._recordings[each.sample] = intern(each.recording)

    def _draft(self, snapshot: Snapshot, sample: bytes, row: SampleRow, *, is_own: bool) -> Draft:
        # The ledger already has the bytes of relabelled samples and of other robots' samples.
        has_bytes = self._claimed.get(sample) or not is_own
        payload = None if has_bytes else self._payload(snapshot, row.sample_id)
        recording = _recording(row) if is_own else self._recordings.get(sample, '')
        return Draft(sample, row.label, recording, payload)

    def _payload(self, snapshot: Snapshot, sample_id: int) -> Payload:
        picture = snapshot.picture(sample_id) if self._share_pictures else None
        jpeg = thumbnail(picture.jpeg) if picture is not None else None
        return Payload(self._embedding(snapshot, sample_id), jpeg)

    def _embedding(self, snapshot: Snapshot, sample_id: int) -> bytes:
        extractor, kind = self._space.extractor, self._space.kind
        ((_, _, _, data),) = snapshot.embeddings(extractor, kind, sample_id)
        return data


def _recording(row: SampleRow) -> str:
    """Return a sample's recording; in old databases, each request to add samples makes one."""
    return row.recording or f'addition {row.addition}'


@lru_cache(maxsize=4096)
def _is_claimable(label: str) -> bool:
    """Return whether a fleet accepts a label; labels in old databases may be invalid now."""
    try:
        check_label(label)
    except RequestError:
        return False
    return True
