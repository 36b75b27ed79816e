# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""Would more samples help, and of which class?  Accuracy with a part of the samples only."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Literal

from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.report.analysis.held_out import fit_rows, FOLDS, HeldOut, probabilities_of
from edgetpu_retrain.store.samples.sample_store import SampleSet
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np
import numpy.typing as npt

SHARES = (0.1, 0.2, 0.4, 0.8)
"""Of all samples.  Each doubles the one before; the last is what five folds train on."""

# As for ending a training early (learning/default_training/held_out_watch): a difference needs so
# many standard errors to be more than chance.
_STANDARD_ERRORS = 2.0
# What doubling the samples must bring to be worth a person's time.
_WORTH = 0.005
# Below this, what doubling could still bring is too little to go on for.
_LITTLE = 0.02

Answer = Literal['yes', 'no', 'perhaps']


@dataclass(frozen=True)
class Gain:
    """
    What doubling the samples, from 40 to 80 %, brought.

    Args:
        before: accuracy with 40 %.
        after: accuracy with 80 %.
        error: standard error of the difference.
    """

    before: float
    after: float
    error: float

    @property
    def difference(self) -> float:
        """After less before."""
        return self.after - self.before

    @property
    def more_helps(self) -> Answer:
        """Whether more samples would help; 'perhaps' where these are too few to tell."""
        chance = _STANDARD_ERRORS * self.error
        if self.difference > max(chance, _WORTH):
            return 'yes'
        return 'no' if self.difference + chance < _LITTLE else 'perhaps'


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """
    How the held-out samples were judged by heads trained on a part of the others.

    Args:
        sizes: int64 ``[4]``, samples trained on, on average over the folds.
        right: bool ``[4, M]``, whether each judged sample was right.
        labels: int64 ``[M]``, their classes.
    """

    sizes: IntArray
    right: npt.NDArray[np.bool_]
    labels: IntArray

    @property
    def accuracies(self) -> npt.NDArray[np.float64]:
        """Share of right answers, ``[4]``."""
        accuracies: npt.NDArray[np.float64] = self.right.mean(axis=1)
        return accuracies

    def recalls(self, number: int) -> npt.NDArray[np.float64]:
        """Return the same for the samples of one class, ``[4]``; NaN where it has none."""
        own = self.right[:, self.labels == number]
        recalls = np.full(len(own), np.nan)
        if own.shape[1]:
            recalls[:] = own.mean(axis=1)
        return recalls

    def gain(self, number: int | None = None) -> Gain | None:
        """Return what doubling brought, for all or one class; None where nothing was judged."""
        right = self.right if number is None else self.right[:, self.labels == number]
        count = right.shape[1]
        if not count:
            return None
        changed = right[-1].astype(np.int64) - right[-2].astype(np.int64)
        # Of paired answers.  No change at all in a few samples is no proof of none to come, so
        # that one changed answer is taken as the least that may happen.
        spread = float(np.sum(changed**2)) - float(changed.sum()) ** 2 / count
        error = math.sqrt(max(spread, 1.0)) / count
        return Gain(float(right[-2].mean()), float(right[-1].mean()), error)


def learning_curve(
    samples: SampleSet, held_out: HeldOut, options: TrainingOptions
) -> LearningCurve | None:
    """
    Train on 10, 20 and 40 % of the samples and judge the same held-out ones each time.

    In each fold the smaller parts lie within the larger ones; 80 % is cross-validation itself.
    Of every class at least one sample is trained on.

    Args:
        samples: two classes or more.
        held_out: what cross-validation of them said.
        options: how to train.

    Returns:
        None where samples are too few: no class has one for each of the five folds.
    """
    if held_out.folds < FOLDS:
        return None
    rng = np.random.default_rng(options.seed)
    right = np.zeros((len(SHARES), len(samples.labels)), bool)
    right[-1, held_out.rows] = held_out.right
    sizes = np.zeros(len(SHARES))
    for fold in range(held_out.folds):
        judged = np.flatnonzero(held_out.fold_of == fold)
        trained = np.flatnonzero(held_out.fold_of != fold)
        sizes[-1] += len(trained)
        if not len(judged):
            continue
        order = rng.permutation(trained)
        for place, share in enumerate(SHARES[:-1]):
            rows = _part(samples.labels, order, share)
            sizes[place] += len(rows)
            head = fit_rows(samples, rows, options)
            answers = np.argmax(probabilities_of(head, samples, judged), axis=1)
            right[place, judged] = answers == samples.labels[judged]
    mean_sizes = np.round(sizes / held_out.folds).astype(np.int64)
    return LearningCurve(mean_sizes, right[:, held_out.rows], held_out.labels)


def _part(labels: IntArray, order: IntArray, share: float) -> IntArray:
    """Return the first rows in order of every class, so many of its samples, one at least."""
    counts = np.bincount(labels)
    parts = []
    for number, count in enumerate(counts.tolist()):
        end = max(1, round(share * count))
        parts.append(order[labels[order] == number][:end])
    return np.sort(np.concatenate(parts))
