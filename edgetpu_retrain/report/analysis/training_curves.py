# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Training curves: loss and accuracy by iteration.

The curves are not stored in the version's record but recomputed, so that records stay small and
versions of earlier releases have curves, too.  The same samples, options and seed give the same
training, except for rounding on other processors.  If the samples have changed since the training
of the version, the curves show a training on the current samples.
"""

from __future__ import annotations

from dataclasses import dataclass
import itertools
import math

from edgetpu_retrain.learning import Progress, TrainingReport
from edgetpu_retrain.report.analysis.held_out import fit_rows
from edgetpu_retrain.store.samples.sample import TrainingSet
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np
import numpy.typing as npt

# Iterations between points of a curve; with the default options, a training on few samples has 100
# iterations, which yield 25 points.
_REPORT_EVERY = 4


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """
    The curves of one training run; all arrays are ``[P]``, one entry per recorded point.

    Args:
        iterations: float64, counted from 0 in this run.
        loss: float64, batch loss in nats, including regularization.
        train_accuracy: float64, 0 to 1.
        held_out_accuracy: float64, 0 to 1; NaN for a run that measures none.
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
        measuring: the runs that measure on held-out samples: none, one, or one per fold.  If a
            class has two to four recordings, there is one more run, which has no held-out
            accuracy.
        final: the run on all samples.
        report: the training's report.
    """

    measuring: tuple[TrainingRun, ...]
    final: TrainingRun
    report: TrainingReport

    @property
    def folds(self) -> tuple[TrainingRun, ...]:
        """The measuring runs that have a held-out accuracy."""
        return tuple(run for run in self.measuring if not np.isnan(run.held_out_accuracy).all())


def training_curves(samples: TrainingSet, options: TrainingOptions) -> TrainingCurves:
    """
    Train on all samples and record loss and accuracies.

    Args:
        samples: samples of at least two classes.
        options: the training options.

    Raises:
        RequestError: if the samples or options are invalid.
    """
    seen: list[Progress] = []
    rows = np.arange(len(samples.labels))
    head = fit_rows(
        samples,
        rows,
        options,
        on_progress=seen.append,
        report_every=_REPORT_EVERY,
        measure_unknown=True,
    )
    report = head.metrics
    assert report is not None  # fit always sets the metrics
    ends = np.cumsum(report.measuring_runs, dtype=np.int64).tolist()
    final = _run(seen, report.measuring_iterations, math.inf)
    # The final run has no held-out samples: its reports repeat the accuracy of the measuring runs.
    final.held_out_accuracy.fill(math.nan)
    measuring = (_run(seen, start, end) for start, end in itertools.pairwise([0, *ends]))
    return TrainingCurves(tuple(measuring), final, report)


def _run(seen: list[Progress], start: int, end: float) -> TrainingRun:
    points = [
        (each.iteration - start, each.loss, each.train_accuracy, each.validation_accuracy)
        for each in seen
        if start <= each.iteration < end
    ]
    return TrainingRun(*np.array(points, np.float64).reshape(-1, 4).T)
