# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs all parts of a report's analysis, and collects their results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import math

from edgetpu_retrain.label import BACKGROUND
from edgetpu_retrain.learning import FloatArray, IntArray
from edgetpu_retrain.report.analysis.held_out import check_labels, cross_validate, HeldOut
from edgetpu_retrain.report.analysis.learning_curve import learning_curve, LearningCurve
from edgetpu_retrain.report.analysis.mislabels import Mislabels, suspected_mislabels
from edgetpu_retrain.report.analysis.neighbours import nearest_samples
from edgetpu_retrain.report.analysis.reliability import Reliability, reliability
from edgetpu_retrain.report.analysis.report_data import ReportData
from edgetpu_retrain.report.analysis.training_curves import training_curves, TrainingCurves
import numpy as np

MOST = 20
"""Maximum number of samples shown in each list: wrong labels, mistakes, unsure predictions."""

NEIGHBOURS = 3
"""Number of nearest neighbours shown per sample."""

# The 97.5 % quantile of the normal distribution, for 95 % confidence intervals.
_QUANTILE = 1.959964

# Maximum number of samples whose distance to the nearest neighbour is computed.
_SPACED = 1000

OnStep = Callable[[str], object]


@dataclass(frozen=True, eq=False)
class Analysis:
    """
    The analysis of the samples and the training on them.

    Args:
        data: the samples and the model version.
        held_out: the held-out predictions from which the metrics are computed.
        confusion: int64 ``[C, C]``, confusion matrix of these predictions, row = truth.
        curves: loss and accuracy during training.
        learning: the learning curve; None if there are too few samples.
        reliability: accuracy by confidence.
        labels_held_out: the held-out predictions with which the labels are checked.
        mislabels: samples with suspicious labels, as positions in ``labels_held_out``.
        mistakes: int64, positions in ``held_out`` of the worst mistakes, worst first.
        unsure: int64, positions in ``held_out`` of the least confident predictions, least
            confident first.
        spacing: float32 ``[S]``, cosine distance of each sample, or of 1000 samples drawn at
            random if there are more, to its nearest neighbour.
        neighbours: row and cosine distance of each nearest neighbour, by row of the displayed
            sample.
    """

    data: ReportData
    held_out: HeldOut
    confusion: IntArray
    curves: TrainingCurves
    learning: LearningCurve | None
    reliability: Reliability
    labels_held_out: HeldOut
    mislabels: Mislabels
    mistakes: IntArray
    unsure: IntArray
    spacing: FloatArray
    neighbours: dict[int, list[tuple[int, float]]]

    @property
    def names(self) -> tuple[str, ...]:
        """Class names."""
        return self.data.samples.names

    @property
    def counts(self) -> IntArray:
        """Number of samples of each class, int64 ``[C]``."""
        return np.array(list(self.data.counts.values()), np.int64)

    @property
    def evaluated(self) -> int:
        """Number of evaluated samples."""
        return len(self.held_out.rows)

    @property
    def suspects(self) -> IntArray:
        """Ids of the samples with suspicious labels, int64, the most suspicious first."""
        rows = self.labels_held_out.rows[self.mislabels.positions]
        ids: IntArray = self.data.samples.ids[rows]
        return ids

    @property
    def confused(self) -> list[list[list[int]]]:
        """Ids of the samples in each cell of ``confusion``, ascending: ``[truth][prediction]``."""
        cells: list[list[list[int]]] = [[[] for _ in self.names] for _ in self.names]
        held_out = self.held_out
        columns = held_out.labels, held_out.predictions, self.data.samples.ids[held_out.rows]
        for truth, prediction, number in zip(*(each.tolist() for each in columns), strict=True):
            cells[truth][prediction].append(number)
        return cells

    @property
    def noticed(self) -> FloatArray:
        """
        The share of each class's samples that a head without that class classifies as unknown.

        float32 ``[C]``; NaN where it was not measured.
        """
        noticed = self.curves.report.noticed
        return np.full(len(self.names), np.nan, np.float32) if noticed is None else noticed

    @property
    def objects_noticed(self) -> float:
        """Mean of ``noticed`` without the background; NaN if nothing was measured."""
        of_objects = [
            share
            for name, share in zip(self.names, self.noticed.tolist(), strict=True)
            if name != BACKGROUND and not math.isnan(share)
        ]
        return float(np.mean(of_objects)) if of_objects else math.nan

    @property
    def accuracy(self) -> float:
        """Accuracy on the evaluated samples; NaN if there are none."""
        return float(self.held_out.right.mean()) if self.evaluated else math.nan


def analyse(data: ReportData, on_step: OnStep = lambda _: None) -> Analysis:
    """
    Analyse samples, by cross-validation and further trainings.

    Args:
        data: the samples and the model version.
        on_step: called at the start of each step with its description.

    Raises:
        RequestError: if the samples, or the options of the version, are invalid.
    """
    samples, options = data.samples, data.options
    on_step('training with every sample held out once')
    held_out = cross_validate(samples, options)
    confusion = np.zeros((len(samples.names),) * 2, np.int64)
    np.add.at(confusion, (held_out.labels, held_out.predictions), 1)
    on_step('training on parts of the samples')
    learning = learning_curve(samples, held_out, options)
    on_step('training on all samples')
    curves = training_curves(samples, options)
    on_step('detecting wrong labels and finding nearest neighbours')
    by_label = check_labels(samples, options)
    mislabels = suspected_mislabels(by_label.probabilities, by_label.labels)
    mistakes, unsure = held_out.worst_mistakes()[:MOST], held_out.least_confident()[:MOST]
    positions = np.concatenate([mistakes, unsure])
    displayed = [held_out.rows[positions], by_label.rows[mislabels.positions[:MOST]]]
    return Analysis(
        data,
        held_out,
        confusion,
        curves,
        learning,
        reliability(held_out.probabilities, held_out.labels),
        by_label,
        mislabels,
        mistakes,
        unsure,
        _spacing(data),
        _neighbours(data, np.unique(np.concatenate(displayed))),
    )


def wilson_interval(right: int, count: int) -> tuple[float, float]:
    """
    Return the 95 % confidence interval of the share right / count (E. B. Wilson, JASA 22, 1927).

    The interval is (0, 1) if ``count`` is 0.

    >>> low, high = wilson_interval(10, 10)
    >>> print(f'{low:.2f} {high:.2f}')
    0.72 1.00
    """
    if not count:
        return 0.0, 1.0
    share, weight = right / count, _QUANTILE**2 / count
    middle = share + weight / 2
    spread = _QUANTILE * math.sqrt(share * (1 - share) / count + weight / (4 * count))
    low, high = (middle - spread) / (1 + weight), (middle + spread) / (1 + weight)
    return max(low, 0.0), min(high, 1.0)


def _neighbours(data: ReportData, rows: IntArray) -> dict[int, list[tuple[int, float]]]:
    near, distances = nearest_samples(data.samples, rows, NEIGHBOURS)
    return {
        row: list(zip(near[index].tolist(), distances[index].tolist(), strict=True))
        for index, row in enumerate(rows.tolist())
    }


def _spacing(data: ReportData) -> FloatArray:
    count = len(data.samples.labels)
    rows = np.arange(count)
    if count > _SPACED:
        rows = np.random.default_rng(data.options.seed).choice(rows, _SPACED, replace=False)
    return nearest_samples(data.samples, rows, 1)[1][:, 0]
