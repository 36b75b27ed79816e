# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The default training, from validated data to a head.

The samples are split into two parts.  A head is trained on one part and evaluated on the other.
This yields the best number of iterations, and the held-out predictions from which the temperature,
the unknown threshold and the metrics are computed.  A second training on all samples yields the
weights.  If there are few samples, or few recordings, cross-validation replaces the split.
"""

from __future__ import annotations

from dataclasses import replace
import math

from edgetpu_retrain.learning.arrays import FloatArray, IntArray, row_blocks
from edgetpu_retrain.learning.default_training.calibration import (
    expected_calibration_error,
    fit_temperature,
    temperature_on_another_day,
)
from edgetpu_retrain.learning.default_training.left_out import noticed_if_left_out
from edgetpu_retrain.learning.default_training.measuring import measure, Measurement
from edgetpu_retrain.learning.default_training.problem import Problem
from edgetpu_retrain.learning.default_training.progress_relay import ProgressRelay
from edgetpu_retrain.learning.default_training.recipe import Recipe
from edgetpu_retrain.learning.default_training.training_run import imprinted, Run, train
from edgetpu_retrain.learning.default_training.unknown_fitting import (
    bounded,
    open_detector,
    threshold_for,
)
from edgetpu_retrain.learning.embedding_rows import EmbeddingRows
from edgetpu_retrain.learning.head import Head, softmax
from edgetpu_retrain.learning.metrics import confusion_matrix
from edgetpu_retrain.learning.training_report import TrainingReport
from edgetpu_retrain.learning.unknown import unknown_scores, UnknownDetector
import numpy as np

# robust_logit_range ignores one outlier on each side, plus one per this many samples.
_ROWS_AN_OUTLIER = 1000

# Margin that robust_logit_range adds on each side, relative to the range without outliers.  The
# result never exceeds the range with outliers.
_ROOM = 0.05


class DefaultTraining:
    """
    One call of ``fit``, with validated arguments.

    Args:
        rows: the embeddings.
        labels: int64 ``[N]``, their classes.
        recordings: int64 ``[N]``, their recordings; None = each class is one recording.
        num_classes: C; each class has at least one sample.
        initial: an earlier head to start from, or None.
        recipe: the hyperparameters.
        progress: receives progress reports, and can stop the training.
        rng: random generator.
    """

    def __init__(
        self,
        rows: EmbeddingRows,
        labels: IntArray,
        recordings: IntArray | None,
        num_classes: int,
        initial: Head | None,
        recipe: Recipe,
        progress: ProgressRelay,
        rng: np.random.Generator,
    ) -> None:
        self._initial = initial
        self._problem = Problem.of(
            rows, labels, recordings, num_classes, recipe, progress, rng, warm=initial is not None
        )
        self._conditioning = self._problem.features.conditioning

    def head(self) -> Head:
        """Run all stages and return the head."""
        problem = self._problem
        planned = problem.iterations(len(problem.labels))
        measured = measure(problem, planned)
        temperature = self._temperature(measured)
        divisor = np.float32(temperature)
        run = measured.run or self._train_on_all(measured, planned)
        logit_range, accuracy = self._evaluate_on_all(run, divisor)
        weights, bias = problem.features.fold(run.weights / divisor, run.bias / divisor)
        labels = self._initial.labels if self._initial is not None else ()
        if len(labels) != problem.num_classes:
            labels = ()
        detector = self._detector(measured, divisor)
        report = self._report(measured, run, accuracy)
        if problem.recipe.measure_unknown and not (run.stopped or run.diverged):
            noticed = noticed_if_left_out(problem, run, detector, temperature)
            report = replace(report, noticed=noticed)
        return Head(weights, bias, labels, logit_range, temperature, detector, report)

    def _start(self, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return the initial weights and bias; classes of an earlier head start from that head."""
        weights, bias = imprinted(self._problem, rows)
        if self._initial is None:
            return weights, bias
        known, temperature = self._initial.num_classes, self._initial.temperature
        old_weights, old_bias = self._conditioning.unfold(self._initial, temperature or 1.0)
        old, new = _column_length(old_weights), _column_length(weights)
        if old > 0.0 and new > 0.0:
            if temperature is None:
                # The earlier head is from another recipe, so its weights may have any length:
                # scale them to the length of the imprinted weights.
                old_weights, old_bias = old_weights * (new / old), old_bias * (new / old)
            else:
                # Scale the weights of new classes to the length of those of known classes.
                weights *= old / new
        weights[:, :known] = old_weights
        bias[:known], bias[known:] = old_bias, old_bias.mean()
        return weights, bias

    def _temperature(self, measured: Measurement) -> float:
        if self._initial is not None and self._initial.temperature is not None:
            # The final head starts from the earlier head, which has converged, and therefore needs
            # the temperature of the earlier head.  The measured heads start from class means and
            # may not converge, so their logits may be smaller.
            return self._initial.temperature
        return self._measured_temperature(measured)

    def _measured_temperature(self, measured: Measurement) -> float:
        recipe = self._problem.recipe
        typical, uncertainty = recipe.temperature_prior
        if measured.method == 'none':
            return typical
        fitted = fit_temperature(
            measured.logits, measured.truth, typical=typical, uncertainty=uncertainty
        )
        by_class = zip(measured.evaluated_recordings, measured.units, strict=True)
        counts = [count for count, unit in by_class if unit]
        if recipe.reg is not None or (self._problem.recordings is None and min(counts) > 0):
            # temperature_on_another_day expects the default regularization.  Without recordings,
            # samples count as independent unless they are near copies.
            return fitted
        return temperature_on_another_day(fitted, float(np.mean(counts)))

    def _train_on_all(self, measured: Measurement, planned: int) -> Run:
        """Train on all samples, for the share of the iterations that measuring found best."""
        rows = np.arange(len(self._problem.labels))
        until = max(1, round(planned * measured.share))
        self._problem.progress.total = self._problem.progress.done + until
        start, accuracy = self._start(rows), measured.accuracy
        run = train(self._problem, rows, start, planned, until=until, held_out_accuracy=accuracy)
        if not run.diverged:
            return run
        return replace(measured.best or Run(*self._start(rows), 0), diverged=True)

    def _evaluate_on_all(
        self, run: Run, temperature: np.float32
    ) -> tuple[tuple[float, float], float]:
        """Return the range of a run's logits divided by temperature, and the run's accuracy."""
        problem = self._problem
        count = len(problem.labels)
        lowest, highest = np.empty(count, np.float32), np.empty(count, np.float32)
        right = 0
        for part in row_blocks(count):
            if problem.progress.should_stop is not None:
                # should_stop may raise an exception.  Its result is ignored: training is over.
                problem.progress.should_stop()
            logits = problem.features[part] @ run.weights
            logits += run.bias
            logits /= temperature
            logits.min(axis=1, out=lowest[part])
            logits.max(axis=1, out=highest[part])
            right += int((np.argmax(logits, axis=1) == problem.labels[part]).sum())
        return robust_logit_range(lowest, highest), right / count

    def _detector(self, measured: Measurement, temperature: np.float32) -> UnknownDetector:
        problem = self._problem
        detector = measured.detector or open_detector(problem, np.arange(len(problem.labels)))
        if measured.method == 'none':
            return detector
        if problem.warm:
            # The logits of the measured heads may be smaller than those of the final head; see
            # _temperature().
            temperature = np.float32(self._measured_temperature(measured))
        scores = unknown_scores(measured.logits / temperature, measured.lengths)
        copies = np.array(measured.evaluated_recordings)[measured.truth] == 0
        rate = problem.recipe.rejection_rate
        threshold = threshold_for(scores, rate, measured.parts, copies)
        if (views := measured.views) is not None:
            scores = unknown_scores(views.logits / temperature, views.lengths)
            threshold = bounded(threshold, threshold_for(scores, rate, copies=views.copies))
        return replace(detector, threshold=threshold)

    def _report(self, measured: Measurement, run: Run, accuracy: float) -> TrainingReport:
        problem, classes = self._problem, self._problem.num_classes
        error, confusion = math.nan, np.zeros((classes, classes), np.int64)
        if measured.method != 'none':
            temperature = fit_temperature(measured.logits, measured.truth)
            probabilities = softmax(measured.logits / np.float32(temperature))
            error = expected_calibration_error(probabilities, measured.truth)
            predicted = np.argmax(measured.logits, axis=1)
            confusion = confusion_matrix(measured.truth, predicted, classes)
        return TrainingReport(
            method=measured.method,
            num_samples=len(problem.labels),
            iterations=run.iterations,
            measuring_runs=measured.runs,
            accuracy=measured.accuracy,
            train_accuracy=accuracy,
            expected_calibration_error=error,
            rejection_rate=problem.recipe.rejection_rate,
            confusion_matrix=confusion,
            held_out=measured.rows,
            class_counts=np.bincount(problem.labels, minlength=classes).astype(np.int64),
            balanced=problem.recipe.balanced,
            warm_start=problem.warm,
            stopped=run.stopped,
            diverged=run.diverged,
            held_out_units=measured.units,
        )


def _column_length(weights: FloatArray) -> np.float32:
    """Return the mean length of the non-zero columns; 0 if there are none."""
    lengths = np.sqrt(np.einsum('dc,dc->c', weights, weights))
    lengths = lengths[lengths > 0.0]
    return np.float32(lengths.mean() if len(lengths) else 0.0)


def robust_logit_range(lowest: FloatArray, highest: FloatArray) -> tuple[float, float]:
    """
    Return a range of logits that ignores outliers.

    A quantized layer has 256 steps for the range, so a single outlier would make all steps coarse.
    Logits outside of the range are clipped, which can change the best class only if the logits of
    two classes are clipped.

    Args:
        lowest: float32 ``[N]``, the smallest logit of each sample, N at least 1.
        highest: float32 ``[N]``, the largest logit of each sample.

    >>> highest = np.array([9.0, 10.0, 10.0, 5000.0], np.float32)
    >>> robust_logit_range(-highest, highest)
    (-11.0, 11.0)
    """
    left_out = min(1 + len(lowest) // _ROWS_AN_OUTLIER, len(lowest) - 1)
    low = float(np.partition(lowest, left_out)[left_out])
    high = float(-np.partition(-highest, left_out)[left_out])
    room = _ROOM * (high - low)
    return max(float(lowest.min()), low - room), min(float(highest.max()), high + room)
