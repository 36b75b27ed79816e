# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Training curves: loss and accuracy over the iterations.

They are recomputed and not stored in the version's record.  The same samples, options and seed
give the same training (except for rounding on other processors), records stay small, and versions
from earlier releases have curves too.  If the samples have changed since, the curves show a
training on the current ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgetpu_retrain.learning import Progress
from edgetpu_retrain.learning.training_report import TrainingReport
from edgetpu_retrain.report.analysis.held_out import fit_rows
from edgetpu_retrain.store.samples.sample_store import SampleSet
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np
import numpy.typing as npt

# Enough points for a curve of the shortest training, 100 iterations.
_REPORT_EVERY = 4


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """
    The curves of one training run; all arrays are ``[P]``.

    Args:
        iterations: int64, counted from 0 in this run.
        loss: float64, batch loss in nats, including regularization.
        train_accuracy: float64, 0 to 1.
        held_out_accuracy: float64, 0 to 1; NaN for a run on all samples.
    """

    iterations: npt.NDArray[np.int64]
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


def training_curves(samples: SampleSet, options: TrainingOptions) -> TrainingCurves:
    """
    Train on all samples and record loss and accuracies.

    Args:
        samples: two classes or more.
        options: the training options.
    """
    seen: list[Progress] = []
    head = fit_rows(
        samples,
        np.arange(len(samples.labels)),
        options,
        on_progress=seen.append,
        report_every=_REPORT_EVERY,
    )
    report = head.metrics
    assert report is not None  # fit always reports
    measuring = report.measuring_iterations
    runs = _number_of_runs(report)
    length = measuring // runs if runs else 0
    return TrainingCurves(
        tuple(_run(seen, number * length, (number + 1) * length) for number in range(runs)),
        _run(seen, measuring, None),
        report,
    )


def _number_of_runs(report: TrainingReport) -> int:
    """Return the number of measuring runs; a cross-validation run is as long as the final one."""
    if report.method == 'none' or not report.measuring_iterations:
        return 0
    if report.method == 'held-out split':
        return 1
    return max(1, round(report.measuring_iterations / max(report.iterations, 1)))


def _run(seen: list[Progress], start: int, end: int | None) -> TrainingRun:
    part = [each for each in seen if each.iteration >= start]
    if end is not None:
        part = [each for each in part if each.iteration < end]
    held_out = [float('nan') if end is None else each.validation_accuracy for each in part]
    return TrainingRun(
        np.array([each.iteration - start for each in part], np.int64),
        np.array([each.loss for each in part], np.float64),
        np.array([each.train_accuracy for each in part], np.float64),
        np.array(held_out, np.float64),
    )
