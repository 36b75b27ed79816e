# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Pool: all samples that a training may use, in an order that is the same on every robot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
import hashlib
import json

from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.ledger.evidence import FleetEvidence
from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.embedding_kind import RawArray
from edgetpu_retrain.store.samples.sample import TrainingSet
import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
UNCLAIMED = -1
"""The own label of a sample for which this robot claims no label."""


@dataclass(frozen=True, eq=False)
class Pool:
    """
    Samples of a fleet, grouped by recording; within a recording, in the order of their claims.

    Neighbours are therefore alike, as in samples.db, and blocks of them can be held out together.

    Args:
        ids: ids of the samples, uint8 ``[N, 32]``.
        raw: their embeddings as the extractor outputs them, ``[N, D]``.
        quantization: quantization of the embeddings; None for float32.
        names: the classes, sorted.
        labels: the class of each sample as an index of ``names``, int64 ``[N]``.
        own_labels: the class that this robot itself claims, int64 ``[N]``, or UNCLAIMED.
        taken_here: whether this robot itself recorded the sample, bool ``[N]``.
        keys: the public keys whose claims decided the labels, sorted.
        origins: whose claim decided each sample's label, as an index of ``keys``, int64 ``[N]``.
        recordings: the number of each sample's recording, int64 ``[N]``.
    """

    ids: npt.NDArray[np.uint8]
    raw: RawArray
    quantization: QuantizationParameters | None
    names: tuple[str, ...]
    labels: IntArray
    own_labels: IntArray
    taken_here: BoolArray
    keys: tuple[str, ...]
    origins: IntArray
    recordings: IntArray

    @classmethod
    def of(
        cls,
        evidence: FleetEvidence,
        own_claims: Mapping[bytes, Claim],
        me: str,
        quantization: QuantizationParameters | None,
    ) -> Pool:
        """
        Return the samples of a robot and of its fleet.

        Args:
            evidence: the teachers' samples and the robot's own.
            own_claims: the robot's latest claim about each sample, by the sample's id.
            me: public key of the robot.
            quantization: quantization of the embeddings; None for float32.
        """
        claims = [own_claims.get(bytes(each)) for each in evidence.ids]
        own = [claim.label if claim is not None else '' for claim in claims]
        names = np.unique([*evidence.labels, *(label for label in own if label)])
        numbers = {str(name): number for number, name in enumerate(names)}
        keys, origins = np.unique(evidence.keys, return_inverse=True)
        # This robot's own samples get the recordings that it claims itself, because whole
        # recordings are held out for its exam.
        recordings = np.unique(
            [
                f'{me}/{claim.recording}' if claim is not None and claim.recording else recording
                for claim, recording in zip(claims, evidence.recordings, strict=True)
            ],
            return_inverse=True,
        )[1]
        parts = np.ascontiguousarray(evidence.ids).view('>u8').reshape(-1, 4)
        order = np.lexsort([*parts.T[::-1], evidence.clocks, recordings])
        labels = np.array([numbers[label] for label in evidence.labels], np.int64)
        own_labels = np.array([numbers.get(label, UNCLAIMED) for label in own], np.int64)
        # A claim without a recording answers a question about a sample of another robot.
        taken_here = np.array([bool(claim and claim.recording) for claim in claims], bool)
        return cls(
            evidence.ids[order], evidence.raw[order], quantization,
            tuple(numbers), labels[order], own_labels[order], taken_here[order],
            tuple(map(str, keys)), origins[order].astype(np.int64), recordings[order],
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def is_own(self) -> BoolArray:
        """Whether this robot itself claims the label of each sample, bool ``[N]``."""
        own: BoolArray = self.labels == self.own_labels
        return own

    @cached_property
    def groups(self) -> IntArray:
        """A number for the pair of origin and class of each sample, int64 ``[N]``."""
        return self.origins * len(self.names) + self.labels

    def with_own_labels(self, rows: IntArray | BoolArray) -> Pool:
        """Return the pool with this robot's own labels for some samples; each must have one."""
        labels = self.labels.copy()
        labels[rows] = self.own_labels[rows]
        return replace(self, labels=labels)

    def training_set(self, rows: IntArray, labels: IntArray | None = None) -> TrainingSet:
        """
        Return some samples as a training set, whose classes are those of these samples.

        Args:
            rows: int64 ``[M]``, ascending.
            labels: int64 ``[N]``, labels to use instead of the pool's; None = the pool's.
        """
        classes, numbers = np.unique(
            (self.labels if labels is None else labels)[rows], return_inverse=True
        )
        return TrainingSet(
            self.raw[rows],
            numbers.astype(np.int64),
            tuple(self.names[each] for each in classes),
            self.quantization,
            recordings=np.unique(self.recordings[rows], return_inverse=True)[1].astype(np.int64),
        )

    def digest(self, rows: IntArray, *, claims: bool) -> str:
        """
        Return a digest, 64 hexadecimal digits, of some samples with their labels and recordings.

        Args:
            rows: int64 ``[M]``, ascending.
            claims: whether to include ``origins`` and ``own_labels``.
        """
        state = hashlib.sha256(np.ascontiguousarray(self.ids[rows]).tobytes())
        described = [(self.labels, self.names), (self.recordings, ())]
        if claims:
            # The '' at the end is at the index UNCLAIMED, -1.
            described += [(self.own_labels, (*self.names, '')), (self.origins, self.keys)]
        for numbers, texts in described:
            used, places = np.unique(numbers[rows], return_inverse=True)
            state.update(json.dumps([texts[each] for each in used if texts]).encode())
            state.update(places.astype('<i8').tobytes())
        return state.hexdigest()
