# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Cross-validation: held-out predictions of single samples.

A version's record has only a confusion matrix, and a training may hold out only a fifth of the
samples.  A report needs predictions for single samples, so it cross-validates with the version's
options: each sample is evaluated at most once, by a head that is trained in the same way without
this sample.  The held-out probabilities are unbiased, because the temperature is also fitted
without the held-out samples.

There are two cross-validations.  The first one computes the metrics.  The metrics should be valid
for another day, so whole recordings are held out if possible, as in a training
(:mod:`edgetpu_retrain.learning.held_out`).  The second one checks the labels.  Its heads are
trained on as many samples as possible, even of the same day, but, if possible, not on frames that
are similar to the held-out ones (:mod:`.alike`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.learning import fit, FloatArray, Head, IntArray, Progress
from edgetpu_retrain.learning.embedding_rows import EmbeddingRows
from edgetpu_retrain.learning.held_out import HeldOutUnit, hold_out, worst_unit
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.report.analysis.alike import folds_by_likeness
from edgetpu_retrain.store.samples.sample import TrainingSet
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np
import numpy.typing as npt

# The number of folds, as in the cross-validation of a training on few samples.  Each head is
# trained on about 80 % of the samples, unless there are few recordings.
FOLDS = 5

# Maximum number of rows that are dequantized at a time.
_BLOCK_ROWS = 4096


@dataclass(frozen=True, eq=False)
class HeldOut:
    """
    The result of cross-validation.

    Args:
        rows: int64 ``[M]``, the rows of the evaluated samples, ascending; a class may have none,
            for example if it has a single sample.
        labels: int64 ``[M]``, their classes.
        probabilities: float32 ``[M, C]``, the predicted probability of each class.
        fold_of: int64 ``[N]``, the fold in which each sample was held out; -1 = none.
        folds: number of folds; 0 if no class has two samples.
        units: the held-out unit of each class, None for a class with one sample; () in the
            result of :func:`check_labels`.
    """

    rows: IntArray
    labels: IntArray
    probabilities: FloatArray
    fold_of: IntArray
    folds: int
    units: tuple[HeldOutUnit | None, ...] = ()

    @property
    def unit(self) -> HeldOutUnit:
        """
        The worst unit in which any class was held out: 'recordings', 'blocks' or 'frames'.

        The units are listed from best to worst.  Only if the unit is 'recordings' do the metrics
        predict the accuracy on another day.
        """
        return worst_unit(self.units)

    @property
    def predictions(self) -> IntArray:
        """The predicted class of each evaluated sample, int64 ``[M]``."""
        predictions: IntArray = np.argmax(self.probabilities, axis=1)
        return predictions

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether each prediction is right, bool ``[M]``."""
        right: npt.NDArray[np.bool_] = self.predictions == self.labels
        return right

    def worst_mistakes(self) -> IntArray:
        """Return the positions of all mistakes, int64, least probable true class first."""
        wrong = np.flatnonzero(~self.right)
        truth = self.probabilities[wrong, self.labels[wrong]]
        return wrong[np.argsort(truth, kind='stable')]

    def least_confident(self) -> IntArray:
        """Return the positions of all predictions, int64 ``[M]``, least confident first."""
        return np.argsort(self.probabilities.max(axis=1), kind='stable')


def cross_validate(samples: TrainingSet, options: TrainingOptions) -> HeldOut:
    """
    Predict samples with heads trained without them and, if possible, without their recordings.

    Args:
        samples: samples of at least two classes.
        options: the training options; their seed also determines the folds.

    Raises:
        RequestError: if the samples or options are invalid.
    """
    with _judging():
        folds = hold_out(
            _embedding_rows(samples), samples.labels, _recordings(samples),
            np.random.default_rng(options.seed), folds=FOLDS,
        )  # fmt: skip
    held_out = _predicted(samples, folds.fold_of, options)
    counted = folds.evaluated[held_out.rows]
    return replace(
        held_out,
        rows=held_out.rows[counted],
        labels=held_out.labels[counted],
        probabilities=held_out.probabilities[counted],
        units=folds.units,
    )


def check_labels(samples: TrainingSet, options: TrainingOptions) -> HeldOut:
    """
    Predict samples with heads trained without them and, if possible, without similar samples.

    Args:
        samples: samples of at least two classes.
        options: the training options; their seed also determines the folds.

    Raises:
        RequestError: if the samples or options are invalid.
    """
    with _judging():
        fold_of = folds_by_likeness(
            _embedding_rows(samples), samples.labels, FOLDS, np.random.default_rng(options.seed)
        )
    return _predicted(samples, fold_of, options)


def _predicted(samples: TrainingSet, fold_of: IntArray, options: TrainingOptions) -> HeldOut:
    labels, folds = samples.labels, np.unique(fold_of[fold_of >= 0])
    probabilities = np.empty((len(labels), len(samples.names)), np.float32)
    for fold in folds:
        held_out = np.flatnonzero(fold_of == fold)
        head = fit_rows(samples, np.flatnonzero(fold_of != fold), options)
        probabilities[held_out] = probabilities_of(head, samples, held_out)
    rows = np.flatnonzero(fold_of >= 0)
    return HeldOut(rows, labels[rows], probabilities[rows], fold_of, len(folds))


def fit_rows(
    samples: TrainingSet,
    rows: IntArray,
    options: TrainingOptions,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    report_every: int = 10,
    measure_unknown: bool = False,
) -> Head:
    """
    Train a head on a subset of samples, in the same way as the node.

    Args:
        samples: all samples.
        rows: int64 ``[M]``, the rows to train on; they must include all classes.
        options: the training options.
        on_progress: called every ``report_every`` iterations.
        report_every: iterations between reports.
        measure_unknown: whether to also measure the share of each class's samples that would be
            classified as unknown if the class had not been taught; it is in the head's metrics.

    Raises:
        RequestError: if the options are invalid for these samples.
    """
    quantization, recordings = samples.quantization, _recordings(samples)
    with _judging():
        return fit(
            samples.embeddings[rows],
            samples.labels[rows],
            recordings=None if recordings is None else recordings[rows],
            scale=quantization.scale if quantization else None,
            zero_point=quantization.zero_point if quantization else None,
            num_classes=len(samples.names),
            **options.for_fit(),
            measure_unknown=measure_unknown,
            on_progress=on_progress,
            report_every=report_every,
        )


def probabilities_of(head: Head, samples: TrainingSet, rows: IntArray) -> FloatArray:
    """Return a head's class probabilities for some samples, float32 ``[len(rows), C]``."""
    blocks = np.array_split(rows, len(rows) // _BLOCK_ROWS + 1)
    embeddings = (dequantize(samples.embeddings[each], samples.quantization) for each in blocks)
    return np.concatenate([head.predict_proba(each) for each in embeddings])


def _recordings(samples: TrainingSet) -> IntArray | None:
    return samples.recordings if len(samples.recordings) else None


def _embedding_rows(samples: TrainingSet) -> EmbeddingRows:
    quantization = samples.quantization
    if quantization is None:
        return EmbeddingRows(samples.embeddings)
    return EmbeddingRows(samples.embeddings, quantization.scale, quantization.zero_point)


@contextmanager
def _judging() -> Iterator[None]:
    """Convert a ValueError about the samples or the options to a RequestError."""
    try:
        yield
    except ValueError as error:
        raise RequestError(f'The samples cannot be judged: {error}.') from error
