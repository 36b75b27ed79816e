# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures of a training: loss and accuracy over its iterations."""

from __future__ import annotations

import math

from edgetpu_retrain.report.analysis.report_analysis import Analysis
from edgetpu_retrain.report.analysis.training_curves import TrainingCurves, TrainingRun
from edgetpu_retrain.report.drawing.figure_style import (
    BLUE,
    legend_above,
    ORANGE,
    PALE,
    VERMILLION,
)
from matplotlib.axes import Axes
import numpy as np


def draw_loss(axes: Axes, analysis: Analysis) -> None:
    """Draw the batch loss of all runs."""
    curves = analysis.curves
    for number, run in enumerate(curves.measuring):
        axes.plot(
            run.iterations,
            run.loss,
            color=ORANGE,
            linewidth=1.2,
            linestyle='--',
            label=_measuring_label(len(curves.measuring)) if number == 0 else None,
        )
    axes.plot(curves.final.iterations, curves.final.loss, color=BLUE, label='on all samples')
    axes.set_xlabel('iteration (count)')
    axes.set_ylabel('loss of a batch (nats)')
    axes.set_ylim(bottom=0.0)
    legend_above(axes)


def draw_accuracy(axes: Axes, analysis: Analysis) -> None:
    """Draw the accuracies of the measuring runs and of the final run."""
    curves = analysis.curves
    final = curves.final
    axes.plot(
        final.iterations, 100 * final.train_accuracy, color=BLUE, label='all, final training'
    )
    if curves.measuring:
        middle = _mean_run(curves.measuring)
        axes.plot(
            middle.iterations,
            100 * middle.train_accuracy,
            color=ORANGE,
            linestyle='--',
            label='all, while measuring',
        )
        axes.plot(
            middle.iterations,
            100 * middle.held_out_accuracy,
            color=VERMILLION,
            linestyle='-.',
            drawstyle='steps-post',
            label='held out',
        )
    axes.set_xlabel('iteration (count)')
    axes.set_ylabel('right answers (%)')
    axes.set_ylim(_floor(curves), 103.0)
    axes.axhline(100.0, color=PALE, linewidth=1.0, zorder=1)
    legend_above(axes)


def _floor(curves: TrainingCurves) -> float:
    """Return the lower limit of the accuracy axis, in percent."""
    drawn = np.concatenate(
        [
            curves.final.train_accuracy,
            *(run.train_accuracy for run in curves.measuring),
            *(run.held_out_accuracy for run in curves.measuring),
        ]
    )
    return max(0.0, 10.0 * math.floor(10 * float(np.nanmin(drawn)) - 1.0))


def _measuring_label(runs: int) -> str:
    return 'while measuring' if runs == 1 else f'while measuring, {runs} folds'


def _mean_run(runs: tuple[TrainingRun, ...]) -> TrainingRun:
    """Return the mean of several runs, over the iterations that all of them reported."""
    points = min(len(run.iterations) for run in runs)
    return TrainingRun(
        runs[0].iterations[:points],
        np.mean([run.loss[:points] for run in runs], axis=0),
        np.mean([run.train_accuracy[:points] for run in runs], axis=0),
        np.mean([run.held_out_accuracy[:points] for run in runs], axis=0),
    )
