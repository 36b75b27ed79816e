# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
LastRound: what a round stores for the next one.

A round is a training on the fleet's samples, or the examination of a released head.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
import io
import json
from pathlib import Path
import time
from typing import Any

from edgetpu_retrain.fleet.evidence.embedding_space import ID_BYTES
from edgetpu_retrain.fleet.training.pool import Pool, UNCLAIMED
from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.store.files.disk_errors import as_store_error
from edgetpu_retrain.store.files.durable_file import write_durably
from edgetpu_retrain.store.files.regular_file import read_regular_file
import numpy as np
import numpy.typing as npt

FILE = 'fleet_training.npz'
"""Name of the file in the data folder."""

_FORMAT = 1
# Enough for 10 million samples, of 36 bytes each.
_MAX_BYTES = 400_000_000


@dataclass(frozen=True, eq=False)
class LastRound:
    """
    The last round, and the samples or the release accepted last.

    Args:
        evidence: digest of everything on which the last round's decision depended; while it and
            the newest version are the same, a round ends at once.
        newest: number of the newest version when the round ended; a newer one was trained by
            another program, and an older one is left of a removed folder.
        version: number of the last version that a round stored; 0 = none.
        frontier: number and hash of the last pack that counted for what was accepted, by key and
            epoch.
        accepted: digest of the accepted samples and of the options and extractor, or the id of the
            accepted release.
        ids: ids of the accepted samples, uint8 ``[M, 32]``; none after a release.
        labels: the classes of these samples as indices of ``names``, int64 ``[M]``.
        names: names of the classes.
        publisher: public key of the member that signed the accepted release; '' after a training.
        rejected: why the last round rejected a head; '' = it did not.
        rejected_ms: when the round decided this, milliseconds since 1970.
    """

    evidence: str = ''
    newest: int = 0
    version: int = 0
    frontier: dict[str, Any] = field(default_factory=dict)
    accepted: str = ''
    ids: npt.NDArray[np.uint8] = field(
        default_factory=lambda: np.empty((0, ID_BYTES), np.uint8), repr=False
    )
    labels: IntArray = field(default_factory=lambda: np.empty(0, np.int64), repr=False)
    names: tuple[str, ...] = ()
    publisher: str = ''
    rejected: str = ''
    rejected_ms: int = 0

    @property
    def rejection(self) -> str:
        """When and why the last round rejected a head, as text; '' = it did not."""
        if not self.rejected:
            return ''
        when = datetime.fromtimestamp(self.rejected_ms / 1000, timezone.utc)
        return f'a new head was rejected at {when:%Y-%m-%d %H:%M} UTC: {self.rejected}'

    def rejecting(self, reason: str) -> LastRound:
        """Return a copy that records a rejection now, and its reason; '' = no rejection."""
        return replace(self, rejected=reason, rejected_ms=time.time_ns() // 1_000_000)

    def write(self, folder: Path) -> None:
        """
        Write this round into a data folder.

        Raises:
            StoreError: if the disk fails; the file then has its old or its new content.
        """
        facts = {
            'format': _FORMAT, 'evidence': self.evidence, 'newest': self.newest,
            'version': self.version, 'frontier': self.frontier, 'accepted': self.accepted,
            'names': self.names, 'publisher': self.publisher, 'rejected': self.rejected,
            'rejected_ms': self.rejected_ms,
        }  # fmt: skip
        content = io.BytesIO()
        np.savez(
            content,
            facts=np.frombuffer(json.dumps(facts).encode(), np.uint8),
            ids=self.ids, labels=self.labels.astype('<i4'),
        )  # fmt: skip
        with as_store_error('write to', folder):
            write_durably(folder / FILE, content.getvalue())

    @classmethod
    def read(cls, folder: Path) -> LastRound:
        """Return what the last round wrote; default values if the file is missing or damaged."""
        try:
            content = io.BytesIO(read_regular_file(folder / FILE, at_most=_MAX_BYTES))
            with np.load(content, allow_pickle=False) as file:
                facts = json.loads(file['facts'].tobytes())
                ids, labels = file['ids'], file['labels'].astype(np.int64)
            names = tuple(map(str, facts.pop('names')))
            if facts.pop('format') != _FORMAT or ids.shape != (len(labels), ID_BYTES):
                return cls()
            if len(labels) and not 0 <= labels.min() <= labels.max() < len(names):
                return cls()
            return cls(ids=ids.astype(np.uint8), labels=labels, names=names, **facts)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - a damaged file may raise any exception
            return cls()

    def labels_in(self, pool: Pool) -> IntArray:
        """
        Return the class of each sample of a pool when it was accepted, int64 ``[N]``.

        UNCLAIMED = the sample was not accepted, or the pool does not have this class.
        """
        numbers = {name: number for number, name in enumerate(pool.names)}
        known = np.array([numbers.get(name, UNCLAIMED) for name in self.names], np.int64)
        accepted = {bytes(each): label for each, label in zip(self.ids, self.labels, strict=True)}
        found = np.full(len(pool), UNCLAIMED, np.int64)
        for row, each in enumerate(pool.ids):
            if (label := accepted.get(bytes(each))) is not None:
                found[row] = known[label]
        return found
