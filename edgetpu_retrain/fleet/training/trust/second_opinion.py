# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Uses the claims of others for samples whose label is a suspect.

A teacher can claim a label for any sample of another robot, and the latest claim counts.  If the
teacher's label is a suspect, the sample must not be lost: the claims of others count for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.ledger.evidence import FleetEvidence
from edgetpu_retrain.fleet.training.pool import Pool
from edgetpu_retrain.fleet.training.trust.origin_cap import LARGEST_SHARE
from edgetpu_retrain.fleet.training.trust.trusted import Trusted, trusted_samples
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.training_options import TrainingOptions

EvidenceWithout = Callable[[Collection[str]], FleetEvidence]
"""Returns the evidence as it would be without the claims of some keys."""


def trusted_evidence(
    evidence: FleetEvidence,
    own_claims: Mapping[bytes, Claim],
    me: str,
    quantization: QuantizationParameters | None,
    evidence_without: EvidenceWithout,
    options: TrainingOptions,
    largest_share: float = LARGEST_SHARE,
) -> Trusted:
    """
    Return the samples to train on, with the labels of others instead of suspect labels.

    If nobody else claims a label for such a sample, or that label is a suspect, too, the sample is
    treated as in :func:`trusted_samples`.

    Args:
        evidence: the teachers' samples and this robot's own.
        own_claims: this robot's latest claim about each sample.
        me: public key of this robot.
        quantization: quantization of the embeddings; None for float32.
        evidence_without: called with the keys that claim suspect labels, if there are any.
        options: the training options.
        largest_share: the largest share of a class that may come from one other robot.

    Raises:
        RequestError: if the options are not valid.
    """
    pool = Pool.of(evidence, own_claims, me, quantization)
    trusted = trusted_samples(pool, options, largest_share)
    if not trusted.suspects.any():
        return trusted
    keys = {pool.keys[each] for each in pool.origins[trusted.suspects]}
    others = evidence_without(keys)
    places = {bytes(each): place for place, each in enumerate(others.ids)}
    found = {bytes(each): places.get(bytes(each)) for each in pool.ids[trusted.suspects]}
    changed = {sample: place for sample, place in found.items() if place is not None}
    if not changed:
        return trusted
    overruled = Pool.of(_overruled(evidence, others, changed), own_claims, me, quantization)
    again = trusted_samples(overruled, options, largest_share)
    return replace(again, overruled=len(changed))


def _overruled(
    evidence: FleetEvidence, others: FleetEvidence, places: Mapping[bytes, int]
) -> FleetEvidence:
    """
    Return the evidence with the claims of others about some of its samples.

    Args:
        evidence: the evidence.
        others: the evidence without some keys.
        places: the index in ``others`` of each sample to change, by its id.
    """
    labels, recordings = list(evidence.labels), list(evidence.recordings)
    keys, roles, clocks = list(evidence.keys), list(evidence.roles), evidence.clocks.copy()
    for row, each in enumerate(evidence.ids):
        if (place := places.get(bytes(each))) is not None:
            labels[row], recordings[row] = others.labels[place], others.recordings[place]
            keys[row], roles[row] = others.keys[place], others.roles[place]
            clocks[row] = others.clocks[place]
    return replace(
        evidence, labels=labels, recordings=recordings, keys=keys, roles=roles, clocks=clocks
    )
