# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Training curves: loss and accuracy by iteration.

They are recomputed instead of stored in the version's record: records stay small, and versions
from earlier releases have curves too.  The same samples, options and seed give the same training,
except for rounding on other processors.  If the samples have changed since, the curves show a
training on the current ones.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from edgetpu_retrain.learning import Progress, TrainingReport
from edgetpu_retrain.report.analysis.held_out import fit_rows
from edgetpu_retrain.store.samples.sample import TrainingSet
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np
import numpy.typing as npt

# Enough points for a curve of the shortest training, 100 iterations.
_REPORT_EVERY = 4


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """
    The curves of one training run; all arrays are ``[P]``, one entry per recorded point.

    Args:
        iterations: float64, counted from 0 in this run.
        loss: float64, batch loss in nats, including regularization.
        train_accuracy: float64, 0 to 1.
        held_out_accuracy: float64, 0 to 1; NaN for a run on all samples.
    """

    iterations: npt.NDArray[np.float64]
    loss: npt.NDArray[np.float64]
    train_accuracy: npt.NDArray[np.float64]
    held_out_accuracy: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrainingCurves:
    """
    The curves of a training: its measuring runs and its final run.

    Args:
        measuring: no run, one on a part of the samples, or one per fold.
        final: the run on all samples.
        report: the training's report.
    """

    measuring: tuple[TrainingRun, ...]
    final: TrainingRun
    report: TrainingReport


def training_curves(samples: TrainingSet, options: TrainingOptions) -> TrainingCurves:
    """
    Train on all samples and record loss and accuracies.

    Args:
        samples: two classes or more.
        options: the training options.
    """
    seen: list[Progress] = []
    rows = np.arange(len(samples.labels))
    head = fit_rows(samples, rows, options, on_progress=seen.append, report_every=_REPORT_EVERY)
    report = head.metrics
    assert report is not None  # fit always sets the metrics
    measuring = report.measuring_iterations
    runs = _number_of_runs(report)
    length = measuring // runs if runs else 0
    final = _run(seen, measuring, math.inf)
    # In the final run nothing is held out; its reports repeat the last measured accuracy.
    final.held_out_accuracy.fill(math.nan)
    return TrainingCurves(
        tuple(_run(seen, number * length, (number + 1) * length) for number in range(runs)),
        final,
        report,
    )


def _number_of_runs(report: TrainingReport) -> int:
    """Return the number of measuring runs; a cross-validation run is as long as the final one."""
    if report.method != 'cross-validation':
        return int(report.method == 'held-out split')
    return max(1, round(report.measuring_iterations / max(report.iterations, 1)))


def _run(seen: list[Progress], start: int, end: float) -> TrainingRun:
    points = [
        (each.iteration - start, each.loss, each.train_accuracy, each.validation_accuracy)
        for each in seen
        if start <= each.iteration < end
    ]
    return TrainingRun(*np.array(points, np.float64).reshape(-1, 4).T)
