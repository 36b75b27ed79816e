# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Learning curve: accuracy by number of training samples, to estimate whether more would help."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Literal

from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.report.analysis.held_out import fit_rows, FOLDS, HeldOut, probabilities_of
from edgetpu_retrain.store.samples.sample import TrainingSet
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np
import numpy.typing as npt

SHARES = (0.125, 0.25, 0.5, 1.0)
"""Shares of the samples that cross-validation trains on, each twice the previous one."""

# A difference of more than this many standard errors is significant, as for early stopping
# (learning/default_training/training_run).
_STANDARD_ERRORS = 2.0
# More samples are worth the time if doubling their number raises the accuracy significantly, and
# by more than this.
_WORTH = 0.005
# More samples are not worth the time if the gain is significantly less than this.
_LITTLE = 0.02

Verdict = Literal['yes', 'no', 'perhaps']


@dataclass(frozen=True)
class Gain:
    """
    The accuracy gained by training on all samples that are not held out, instead of on half.

    Args:
        before: accuracy after training on half.
        after: accuracy after training on all.
        error: standard error of the difference.
    """

    before: float
    after: float
    error: float

    @property
    def difference(self) -> float:
        """Accuracy gain: after minus before."""
        return self.after - self.before

    @property
    def more_helps(self) -> Verdict:
        """Whether more samples would help; 'perhaps' if the error is too large to decide."""
        chance = _STANDARD_ERRORS * self.error
        if self.difference > max(chance, _WORTH):
            return 'yes'
        return 'no' if self.difference + chance < _LITTLE else 'perhaps'


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """
    Held-out predictions of heads trained on :data:`SHARES` of the samples not held out.

    Args:
        sizes: int64 ``[4]``, number of training samples, averaged over the folds.
        right: bool ``[4, M]``, whether the prediction for each evaluated sample is right.
        labels: int64 ``[M]``, classes of the evaluated samples.
    """

    sizes: IntArray
    right: npt.NDArray[np.bool_]
    labels: IntArray

    @property
    def accuracies(self) -> npt.NDArray[np.float64]:
        """Accuracy for each size, ``[4]``."""
        accuracies: npt.NDArray[np.float64] = self.right.mean(axis=1)
        return accuracies

    def gain(self, number: int | None = None) -> Gain | None:
        """
        Return the gain of one class, or of all; None if none of the samples was evaluated.

        Args:
            number: index of the class; None = all classes.
        """
        right = self.right if number is None else self.right[:, self.labels == number]
        count = right.shape[1]
        if not count:
            return None
        changed = right[-1].astype(np.int64) - right[-2].astype(np.int64)
        # Standard error of the difference of paired predictions.  If no prediction changed, assume
        # that one did: a few samples do not prove that there is no change.
        spread = float(np.sum(changed**2)) - float(changed.sum()) ** 2 / count
        error = math.sqrt(max(spread, 1.0)) / count
        return Gain(float(right[-2].mean()), float(right[-1].mean()), error)


def learning_curve(
    samples: TrainingSet, held_out: HeldOut, options: TrainingOptions
) -> LearningCurve | None:
    """
    Train on an eighth, a quarter and half of the samples, and evaluate on the held-out samples.

    Folds and held-out samples are those of the cross-validation, which also provides the point
    with all samples.  In each fold, the smaller parts are subsets of the larger ones.  Every part
    has at least one sample of each class.

    Args:
        samples: samples of at least two classes.
        held_out: the result of cross-validation on them.
        options: the training options.

    Returns:
        The learning curve; None if every class has fewer than five samples, or if no sample was
        evaluated.
    """
    if not len(held_out.rows) or np.bincount(samples.labels).max() < FOLDS:
        return None
    rng = np.random.default_rng(options.seed)
    right = np.zeros((len(SHARES), len(samples.labels)), bool)
    right[-1, held_out.rows] = held_out.right
    folds = np.unique(held_out.fold_of[held_out.rows])
    sizes = np.zeros(len(SHARES))
    for fold in folds:
        evaluated = np.flatnonzero(held_out.fold_of == fold)
        order = rng.permutation(np.flatnonzero(held_out.fold_of != fold))
        sizes[-1] += len(order)
        for place, share in enumerate(SHARES[:-1]):
            rows = _part(samples.labels, order, share)
            sizes[place] += len(rows)
            head = fit_rows(samples, rows, options)
            predictions = np.argmax(probabilities_of(head, samples, evaluated), axis=1)
            right[place, evaluated] = predictions == samples.labels[evaluated]
    mean_sizes = np.round(sizes / len(folds)).astype(np.int64)
    return LearningCurve(mean_sizes, right[:, held_out.rows], held_out.labels)


def _part(labels: IntArray, order: IntArray, share: float) -> IntArray:
    """Return the first rows of each class in ``order``: the given share, but at least one row."""
    members = [order[labels[order] == number] for number in range(int(labels.max()) + 1)]
    return np.sort(np.concatenate([rows[: max(1, round(share * len(rows)))] for rows in members]))
