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
"""
Predictions for every sample by a head that was not trained on it.

A version's record keeps its confusion matrix only, and a training may hold out a fifth.  A report
is about single samples, so it trains anew by cross-validation, with the version's own options:
every sample is judged once, by the same recipe.  Each of these trainings fits its temperature on
its own part, so that the probabilities of the samples held out are honest ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.learning import fit, FloatArray, Head, IntArray, Progress
from edgetpu_retrain.learning.default_training.folds import stratified_folds
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.store.samples.sample_store import SampleSet
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np
import numpy.typing as npt

# As many as the training itself uses where it cross-validates; each head sees 80 %.
FOLDS = 5

_BLOCK_ROWS = 4096


@dataclass(frozen=True, eq=False)
class HeldOut:
    """
    What came of cross-validation.

    Args:
        rows: int64 ``[M]``, the samples that were judged, ascending; those of a class with a
            single sample are not, since nothing of it could be learned without them.
        labels: int64 ``[M]``, their classes.
        probabilities: float32 ``[M, C]``.
        fold_of: int64 ``[N]``, in which fold each sample was held out, negative = in none.
        folds: how many there were, 0 when no class has two samples.
    """

    rows: IntArray
    labels: IntArray
    probabilities: FloatArray
    fold_of: IntArray
    folds: int

    @property
    def answers(self) -> IntArray:
        """The most likely class of each judged sample, int64 ``[M]``."""
        answers: IntArray = np.argmax(self.probabilities, axis=1).astype(np.int64)
        return answers

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether that is the sample's class, bool ``[M]``."""
        right: npt.NDArray[np.bool_] = self.answers == self.labels
        return right


def cross_validate(samples: SampleSet, options: TrainingOptions) -> HeldOut:
    """
    Judge every sample by a head that was trained without it.

    Args:
        samples: two classes or more.
        options: how to train; their seed decides which sample is in which fold, too.
    """
    labels, classes = samples.labels, len(samples.names)
    folds = int(min(FOLDS, np.bincount(labels).max()))
    if folds < 2:
        nothing = np.empty(0, np.int64)
        none = np.empty((0, classes), np.float32)
        return HeldOut(nothing, nothing, none, np.full(len(labels), -1, np.int64), 0)
    fold_of = stratified_folds(labels, folds, np.random.default_rng(options.seed))
    probabilities = np.empty((len(labels), classes), np.float32)
    for fold in range(folds):
        held_out = np.flatnonzero(fold_of == fold)
        if len(held_out):
            head = fit_rows(samples, np.flatnonzero(fold_of != fold), options)
            probabilities[held_out] = probabilities_of(head, samples, held_out)
    rows = np.flatnonzero(fold_of >= 0)
    return HeldOut(rows, labels[rows], probabilities[rows], fold_of, folds)


def fit_rows(
    samples: SampleSet,
    rows: IntArray,
    options: TrainingOptions,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    report_every: int = 10,
) -> Head:
    """
    Train a head on some samples as a training of the node does.

    Args:
        samples: where they are.
        rows: which; every class is among them.
        options: how to train.
        on_progress: called every ``report_every`` iterations.
        report_every: see there.

    Raises:
        RequestError: when the options do not allow it.
    """
    quantization = samples.quantization
    try:
        return fit(
            samples.embeddings[rows],
            samples.labels[rows],
            scale=quantization.scale if quantization else None,
            zero_point=quantization.zero_point if quantization else None,
            num_classes=len(samples.names),
            **options.for_fit(),
            on_progress=on_progress,
            report_every=report_every,
        )
    except ValueError as error:
        raise RequestError(f'The samples cannot be judged: {error}.') from error


def probabilities_of(head: Head, samples: SampleSet, rows: IntArray) -> FloatArray:
    """Return what a head makes of some samples, float32 ``[len(rows), C]``."""
    found = np.empty((len(rows), head.num_classes), np.float32)
    for start in range(0, len(rows), _BLOCK_ROWS):
        part = slice(start, start + _BLOCK_ROWS)
        embeddings = dequantize(samples.embeddings[rows[part]], samples.quantization)
        found[part] = head.predict_proba(embeddings)
    return found
