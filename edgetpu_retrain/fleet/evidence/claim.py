# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Claim: what one key states about one sample, above all its label."""

from __future__ import annotations

from typing import NamedTuple

from edgetpu_retrain.errors import PackError, RequestError
from edgetpu_retrain.fleet.evidence.embedding_space import ID_BYTES
from edgetpu_retrain.fleet.evidence.hybrid_clock import MAX_CLOCK
from edgetpu_retrain.label import check_label
from edgetpu_retrain.store.samples.recording import check_recording

MAX_NUMBER = 2**53 - 1
"""The largest pack number or sequence number: JSON parsers read integers up to it exactly."""


class Claim(NamedTuple):
    """
    One claim about one sample; a later claim of the same key about this sample replaces it.

    Args:
        sample: the sample's id in the fleet, 32 bytes.
        label: the sample's label; '' makes the claim a tombstone, which withdraws the earlier
            claims of the key about the sample.
        recording: the recording that the sample belongs to; '' = none.
        clock: when the claim was made, a value of the robot's :class:`HybridClock`.
        sequence: place of the claim among all claims of its key in an epoch (see pack.py), from 0.
        erased: whether the bytes of the sample are to be deleted everywhere; only for a tombstone.
    """

    sample: bytes
    label: str
    recording: str
    clock: int
    sequence: int
    erased: bool = False


def check_claim_label(label: str) -> str:
    """Return the label of a claim, '' for a tombstone; raise PackError if it is not valid."""
    try:
        return check_label(label) if label else ''
    except RequestError as error:
        raise PackError('bad claim', str(error)) from error


def check_claim_recording(recording: str) -> str:
    """Return the recording of a claim; raise PackError if it is not valid."""
    try:
        return check_recording(recording)
    except RequestError as error:
        raise PackError('bad claim', str(error)) from error


def check_numbers(claim: Claim) -> None:
    """Raise PackError if the id, clock, sequence number or erased flag of a claim is bad."""
    if len(claim.sample) != ID_BYTES:
        raise PackError('bad claim', f'a sample id has {len(claim.sample)} bytes, not {ID_BYTES}')
    if not 0 <= claim.clock <= MAX_CLOCK:
        raise PackError('bad claim', f'the clock of a claim is {claim.clock}')
    if not 0 <= claim.sequence <= MAX_NUMBER:
        raise PackError('bad claim', f'the sequence number of a claim is {claim.sequence}')
    if claim.erased and claim.label:
        raise PackError('bad claim', 'a claim erases a sample that it labels')
