# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Trains a head for a release, and stores a released head on a robot if it passes the gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.ledger.evidence import FleetEvidence
from edgetpu_retrain.fleet.releases.release import encode, Release
from edgetpu_retrain.fleet.training.exam import Exam
from edgetpu_retrain.fleet.training.gate import why_worse
from edgetpu_retrain.fleet.training.last_round import LastRound
from edgetpu_retrain.fleet.training.pool import Pool, UNCLAIMED
from edgetpu_retrain.fleet.training.stored_version import store_version
from edgetpu_retrain.fleet.training.training_round import (
    digest_of,
    RoundOptions,
    RoundResult,
)
from edgetpu_retrain.fleet.training.trust.second_opinion import EvidenceWithout, trusted_evidence
from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.retraining import retrain
from edgetpu_retrain.store.files.data_folder import MODELS_FOLDER
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_store import ModelStore
import numpy as np

# The class number for labels of a released head that no sample in this robot's pool has.
_OTHER = -2


def make_release(
    extractor: bytes,
    space: str,
    evidence: FleetEvidence,
    own_claims: Mapping[bytes, Claim],
    frontier: Mapping[str, Any],
    key: Key,
    *,
    share: float,
    issued_ms: int,
    options: RoundOptions,
    evidence_without: EvidenceWithout | None = None,
) -> bytes:
    """
    Train on the samples that this member trusts, and return the head as a message.

    Args:
        extractor: bytes of the extractor.
        space: id of its embedding space.
        evidence: the samples, see ``Ledger.evidence``.
        own_claims: this member's own claims, see ``Ledger.own_claims``.
        frontier: the packs that count, see ``Ledger.frontier``.
        key: the key that signs the release; it needs the role 'release'.
        share: share of the robots that take the release before it is promoted, 0 to 1.
        issued_ms: now, milliseconds since 1970.
        options: how to train.
        evidence_without: returns the evidence without the claims of some keys.  The labels in that
            evidence replace labels that are probably wrong.  None = samples whose label is
            probably wrong are left out.

    Raises:
        RetrainError: if there are too few samples, the extractor or the options are not valid, or
            the head is too large.
    """
    trusted = trusted_evidence(
        evidence, own_claims, key.public, describe(extractor).quantization,
        evidence_without or (lambda _: evidence), options.training, options.largest_share,
    )  # fmt: skip
    lesson = trusted.pool.training_set(trusted.rows)
    outcome = retrain(lesson, extractor, options.training)
    accuracy = outcome.report.accuracy
    release = Release(
        key.public, issued_ms, space, frontier, share, outcome.head, outcome.sample_counts,
        float(accuracy) if np.isfinite(accuracy) else None,
    )  # fmt: skip
    return encode(release, key)


def take_release(
    folder: Path,
    extractor: bytes,
    release: Release,
    evidence: FleetEvidence,
    own_claims: Mapping[bytes, Claim],
    me: str,
    options: RoundOptions,
) -> RoundResult:
    """
    Store a released head as a new version, if it is not worse on this robot's held-out samples.

    The released head is compared with a head that is trained on this robot's other samples.  The
    released head may also have been trained on the held-out samples, because robots share them.

    Args:
        folder: the data folder of the node.
        extractor: bytes of the node's extractor.
        release: the release, which must be for this extractor.
        evidence: the samples, including this robot's own, see ``Ledger.evidence``.
        own_claims: this robot's latest claim about each sample, see ``Ledger.own_claims``.
        me: public key of this robot.
        options: how to train the other head, and how many versions to keep.

    Returns:
        The outcome 'served' or 'rejected'; 'unchanged' if nothing has changed since the last
        examination; 'impossible' if the options are not valid.

    Raises:
        RetrainError: if the disk fails, or the head does not fit the extractor.
    """
    about = describe(extractor)
    pool = Pool.of(evidence, own_claims, me, about.quantization)
    models, last = ModelStore(folder / MODELS_FOLDER), LastRound.read(folder)
    own = np.flatnonzero(pool.own_labels != UNCLAIMED)
    seen = digest_of(release.id + pool.digest(own, claims=True), about.identity, options)
    newest = models.newest_version()
    if seen == last.evidence and newest == last.newest:
        return RoundResult('unchanged')
    try:
        reason, figures = _examined(pool, release, options)
    except RequestError as error:
        return RoundResult('impossible', str(error).rstrip('.'))
    if reason:
        replace(last, evidence=seen, newest=newest).rejecting(reason).write(folder)
        return RoundResult('rejected', reason, 0, figures)
    model, classes = append_head(extractor, release.head), len(release.head.labels)
    threshold = release.head.unknown_threshold
    record = ModelRecord(
        labels=release.head.labels,
        sample_counts=dict(release.sample_counts),
        train_accuracy=release.accuracy or 0.0,
        validation_accuracy=release.accuracy,
        quantized_validation_accuracy=None,
        confusion_matrix=((0,) * classes,) * classes,
        extractor=about.identity,
        seconds=0.0,
        parent_version=newest,
        thresholds={'unknown': threshold} if np.isfinite(threshold) else {},
        input_range=str(about.normalization or ''),
    )
    version = store_version(folder, models, model, record, options.keep_models)
    frontier = {key: dict(epochs) for key, epochs in release.frontier.items()}
    LastRound(seen, version, version, frontier, release.id, publisher=release.publisher).write(
        folder
    )
    return RoundResult('served', '', version, figures)


def _examined(pool: Pool, release: Release, options: RoundOptions) -> tuple[str, dict[str, Any]]:
    """Return why a released head must not serve here ('' = it may), and figures for the result."""
    head, exam = release.head, Exam.of(pool, options.training.seed)
    figures: dict[str, Any] = {'samples': sum(release.sample_counts.values())}
    if not len(exam.rows):
        return '', figures
    rows = np.flatnonzero(pool.own_labels != UNCLAIMED)
    before = exam.answers(pool.own_labels, rows, options.training)
    known = before == exam.truth if before is not None else np.zeros(len(exam.rows), bool)
    numbers = {name: number for number, name in enumerate(pool.names)}
    classes = np.array([numbers.get(label, _OTHER) for label in head.labels], np.int64)
    best: IntArray = head.predict(dequantize(pool.raw[exam.rows], pool.quantization))
    right = classes[best] == exam.truth
    views = len(right), int(right.sum()), int(known.sum())
    figures['gate'] = dict(zip(('views', 'right', 'right_before'), views, strict=True))
    return why_worse(exam, right, known), figures
