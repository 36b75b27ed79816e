# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Chooses the samples of a fleet that a robot trusts."""

from __future__ import annotations

from dataclasses import dataclass

from edgetpu_retrain.fleet.training.pool import BoolArray, Pool, UNCLAIMED
from edgetpu_retrain.fleet.training.trust.origin_cap import LARGEST_SHARE, over_the_cap
from edgetpu_retrain.fleet.training.trust.suspects import suspected
from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np


@dataclass(frozen=True, eq=False)
class Trusted:
    """
    The samples that a robot trusts.

    Args:
        pool: all samples, with the labels to train on.
        rows: int64 ``[M]``, the trusted samples, ascending.
        suspects: bool ``[N]``, whether another robot's label of the sample is a suspect.
        over_the_cap: number of samples left out because their robot has too many of the class.
        overruled: number of samples with a label that others claim, because the latest label is a
            suspect.
    """

    pool: Pool
    rows: IntArray
    suspects: BoolArray
    over_the_cap: int
    overruled: int = 0


def trusted_samples(
    pool: Pool, options: TrainingOptions, largest_share: float = LARGEST_SHARE
) -> Trusted:
    """
    Return the samples to train on: those of teachers and this robot's own.

    A sample of another robot is left out if its label is a suspect, or if the robot has too many
    samples of the class.  If a teacher contradicts this robot about a sample, the teacher's label
    counts, unless that label is a suspect; then this robot's own label counts.

    Args:
        pool: all samples.
        options: the training options.
        largest_share: the largest share of a class that may come from one other robot.

    Raises:
        RequestError: if the options are not valid.
    """
    suspects = suspected(pool, options)
    corrected = pool.with_own_labels(suspects & (pool.own_labels != UNCLAIMED))
    rows = np.flatnonzero(~suspects | corrected.is_own)
    over = over_the_cap(corrected, rows, largest_share)
    return Trusted(corrected, rows[~over], suspects, int(over.sum()))
