# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
A round: one training of a robot on its fleet's samples, from the ledger to a new model version.

The version is stored beside those of the node, which loads it.  A round ends at once if nothing on
which its decision depends has changed since the last one.  So if the user chooses an older
version, that version serves until the evidence changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
import hashlib
import json
from pathlib import Path
import time
from types import MappingProxyType
from typing import Any, Literal

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.ledger.evidence import FleetEvidence
from edgetpu_retrain.fleet.training.gate import GateVerdict, has_too_few_classes, pass_gate
from edgetpu_retrain.fleet.training.last_round import LastRound
from edgetpu_retrain.fleet.training.pool import Pool, UNCLAIMED
from edgetpu_retrain.fleet.training.stored_version import store_version
from edgetpu_retrain.fleet.training.trust.origin_cap import LARGEST_SHARE
from edgetpu_retrain.fleet.training.trust.second_opinion import EvidenceWithout, trusted_evidence
from edgetpu_retrain.fleet.training.trust.trusted import Trusted
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.retraining import QuantizationLoss, retrain
from edgetpu_retrain.store.files.data_folder import MODELS_FOLDER
from edgetpu_retrain.store.models.model_store import ModelStore
from edgetpu_retrain.training_options import TrainingOptions
from edgetpu_retrain.wording import counted, quoted
import numpy as np

Outcome = Literal['served', 'rejected', 'unchanged', 'impossible']

_STAYS = 'the old head stays, although samples on which it was trained do not count any more'


@dataclass(frozen=True)
class RoundOptions:
    """
    How a robot trains on its fleet's samples.

    Args:
        largest_share: the largest share of a class that may come from one other robot.
        keep_models: number of model versions to keep on disk; 0 = all.
        training: the options of the training.
    """

    largest_share: float = LARGEST_SHARE
    keep_models: int = 0
    training: TrainingOptions = field(default_factory=TrainingOptions)


@dataclass(frozen=True)
class RoundResult:
    """
    What a round did.

    Args:
        outcome: 'served': there is a new version; 'rejected': the gate rejected the head, or the
            head lost too much accuracy by quantization; 'unchanged': there was nothing new to
            train on or examine, or, with figures, the samples that were accepted last are accepted
            again; 'impossible': the options are not valid, or the training failed.
        reason: why, or what the training left out, as text without a full stop; '' if there is
            nothing to add.
        version: number of the new version; 0 = none.
        figures: numbers of samples and views, for reports and JSON.
    """

    outcome: Outcome
    reason: str = ''
    version: int = 0
    figures: Mapping[str, Any] = field(default_factory=dict)


def run_round(
    folder: Path,
    extractor: bytes,
    evidence: FleetEvidence,
    own_claims: Mapping[bytes, Claim],
    frontier: Mapping[str, Any],
    me: str,
    options: RoundOptions,
    *,
    evidence_without: EvidenceWithout,
    names: Mapping[str, str] = MappingProxyType({}),
    on_step: Callable[[str], None] = lambda _: None,
) -> RoundResult:
    """
    Train on the samples that this robot trusts, unless nothing has changed since the last round.

    Args:
        folder: the data folder of the node.
        extractor: bytes of the node's extractor.
        evidence: the teachers' samples and this robot's own, see ``Ledger.evidence``.
        own_claims: this robot's latest claim about each sample, see ``Ledger.own_claims``.
        frontier: the packs that count, see ``Ledger.frontier``.
        me: public key of this robot.
        options: how to train.
        evidence_without: returns the evidence without the claims of some keys.
        names: names of the members, by public key, for messages.
        on_step: called at the start of each step with its description.

    Raises:
        RetrainError: if the disk fails, or the extractor is not valid.
    """
    before = time.process_time()
    description = describe(extractor)
    pool = Pool.of(evidence, own_claims, me, description.quantization)
    models = ModelStore(folder / MODELS_FOLDER)
    last = LastRound.read(folder)
    newest = models.newest_version()
    seen = digest_of(pool.digest(np.arange(len(pool)), claims=True), description.identity, options)
    if seen == last.evidence and newest == last.newest:
        return RoundResult('unchanged')
    if pool.is_own.all() and not last.version:
        return RoundResult('unchanged', 'no other robot has taught anything yet')
    version = 0
    try:
        on_step('judging the labels of other robots')
        trusted = trusted_evidence(
            evidence, own_claims, me, description.quantization, evidence_without,
            options.training, options.largest_share,
        )  # fmt: skip
        on_step('examining the head')
        accepted = last.labels_in(trusted.pool)
        verdict = pass_gate(trusted, accepted, options.training)
        if verdict.reason:
            still = accepted[trusted.rows] == trusted.pool.labels[trusted.rows]
            rows, all_count = trusted.rows[still], (accepted != UNCLAIMED).sum() == len(last.ids)
            if all_count or has_too_few_classes(trusted.pool, rows):
                reason = verdict.reason if all_count else f'{verdict.reason}; {_STAYS}'
                replace(last, evidence=seen, newest=newest).rejecting(reason).write(folder)
                return RoundResult('rejected', reason, 0, _figures(trusted, verdict, before))
            # Some accepted samples do not count any more, so the head that was trained on them
            # must not stay.  Train on the accepted samples that still count.
            verdict = replace(verdict, rows=rows)
        samples = trusted.pool.digest(verdict.rows, claims=False)
        samples = digest_of(samples, description.identity, options)
        if samples != last.accepted or newest != last.newest:
            on_step('training')
            lesson = trusted.pool.training_set(verdict.rows)
            outcome = retrain(lesson, extractor, options.training)
            record = outcome.record(newest)
            version = newest = store_version(
                folder, models, outcome.model, record, options.keep_models
            )
    except QuantizationLoss as error:
        reason = str(error).rstrip('.')
        replace(last, evidence=seen, newest=newest).rejecting(reason).write(folder)
        return RoundResult('rejected', reason)
    except RequestError as error:
        return RoundResult('impossible', str(error).rstrip('.'))
    rows = verdict.rows
    learned = LastRound(
        seen, newest, version or last.version, dict(frontier), samples,
        trusted.pool.ids[rows], trusted.pool.labels[rows], trusted.pool.names,
    )  # fmt: skip
    learned.rejecting(verdict.reason).write(folder)
    return RoundResult(
        'served' if version else 'unchanged', _words(trusted, verdict, names), version,
        _figures(trusted, verdict, before),
    )  # fmt: skip


def digest_of(samples: str, extractor: str, options: RoundOptions) -> str:
    """
    Return a digest of everything that a training, or the examination of a release, depends on.

    Args:
        samples: digest of the samples, after the id of the release if one is examined.
        extractor: identity of the extractor.
        options: how to train; ``keep_models`` is ignored.
    """
    chosen = {'share': options.largest_share, **asdict(options.training)}
    return hashlib.sha256(
        json.dumps([samples, extractor, chosen], sort_keys=True).encode()
    ).hexdigest()


def _words(trusted: Trusted, verdict: GateVerdict, names: Mapping[str, str]) -> str:
    """Return the gate's reason, and which samples were left out or relabelled; '' = neither."""
    parts = []
    if verdict.reason:
        parts.append(f'{verdict.reason}; trained on what was accepted before and still counts')
    parts += [
        f'without {quoted(label)} of {names.get(key, key[:8])}, which took views of this robot'
        for key, label in verdict.left_out
    ]
    if count := int(trusted.suspects.sum()):
        parts.append(
            f'without {counted(count, "sample", "samples")} whose label contradicts the others'
        )
    if trusted.overruled:
        parts.append(
            f'{counted(trusted.overruled, "sample", "samples")} as others label them, because the '
            'latest label contradicts the others'
        )
    return '; '.join(parts)


def _figures(trusted: Trusted, verdict: GateVerdict, before: float) -> dict[str, Any]:
    pool = trusted.pool
    groups, counts = np.unique(pool.groups[trusted.suspects], return_counts=True)
    return {
        'samples': len(verdict.rows),
        'own': int(pool.is_own[verdict.rows].sum()),
        'suspects': [
            {'key': pool.keys[group // len(pool.names)],
             'label': pool.names[group % len(pool.names)], 'samples': int(count)}
            for group, count in zip(groups.tolist(), counts, strict=True)
        ],
        'over_the_cap': trusted.over_the_cap,
        'overruled': trusted.overruled,
        'gate': {
            'views': verdict.views, 'right': verdict.right, 'right_before': verdict.right_before,
            'left_out': [list(each) for each in verdict.left_out],
        },
        'processor_seconds': round(time.process_time() - before, 2),
    }  # fmt: skip
