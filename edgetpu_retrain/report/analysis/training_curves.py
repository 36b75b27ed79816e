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
Loss and accuracy along a training.

They are recomputed, not kept in the version's record: the same samples, options and seed give
the same training (but for roundings on another kind of processor), so nothing is lost, records
stay small, and those of earlier releases have curves, too.  Where the samples have changed since,
the curves are of a training on today's.
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

# Often enough for a curve of the shortest training, of 100 iterations.
_REPORT_EVERY = 4


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """
    One run of a training; all arrays are ``[P]``, a row a point.

    Args:
        iterations: int64, counted from 0 in this run.
        loss: float64, of the batch, nats; with the regularization.
        train_accuracy: float64, 0 to 1.
        held_out_accuracy: float64, 0 to 1, of samples that this run did not train on; NaN for a
            run on all samples.
    """

    iterations: npt.NDArray[np.int64]
    loss: npt.NDArray[np.float64]
    train_accuracy: npt.NDArray[np.float64]
    held_out_accuracy: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrainingCurves:
    """
    A training: the runs that measured, and the one on all samples that made the head.

    Args:
        measuring: none, one on a part of the samples, or one a fold.
        final: the run on all samples.
        report: what the training said of itself.
    """

    measuring: tuple[TrainingRun, ...]
    final: TrainingRun
    report: TrainingReport


def training_curves(samples: SampleSet, options: TrainingOptions) -> TrainingCurves:
    """
    Train on all samples and write down how loss and accuracies went.

    Args:
        samples: two classes or more.
        options: how to train.
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
    """Return how many runs measured; those of cross-validation are as long as the final one."""
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
