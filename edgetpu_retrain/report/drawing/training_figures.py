# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures of a training: loss and accuracy over its iterations."""

from __future__ import annotations

import math

from edgetpu_retrain.report.analysis.analysis import Analysis
from edgetpu_retrain.report.drawing import figure_style as style
from matplotlib.axes import Axes
import numpy as np


def draw_loss(axes: Axes, analysis: Analysis) -> None:
    """Draw the batch loss of all runs."""
    final, measuring = analysis.curves.final, analysis.curves.measuring
    count = len(analysis.curves.folds)
    folds = f', {count} folds' if count > 1 else ''
    for number, run in enumerate(measuring):
        # The legend has one entry for all runs: it omits labels that start with an underscore.
        axes.plot(
            run.iterations, run.loss, color=style.ORANGE, linewidth=1.2, linestyle='--',
            label='_' if number else f'while measuring{folds}',
        )  # fmt: skip
    axes.plot(final.iterations, final.loss, color=style.BLUE, label='on all samples')
    axes.set(xlabel='iteration (count)', ylabel='loss of a batch (nats)')
    axes.set_ylim(bottom=0.0)
    style.legend_above(axes)


def draw_accuracy(axes: Axes, analysis: Analysis) -> None:
    """Draw the accuracies of the folds and of the final run."""
    final, folds = analysis.curves.final, analysis.curves.folds
    axes.plot(
        final.iterations, 100 * final.train_accuracy, color=style.BLUE, label='all, final training'
    )
    if folds:
        # Average over the folds, up to the end of the shortest one.
        points = min(len(run.iterations) for run in folds)
        iterations = folds[0].iterations[:points]
        train = np.mean([run.train_accuracy[:points] for run in folds], axis=0)
        held_out = np.mean([run.held_out_accuracy[:points] for run in folds], axis=0)
        axes.plot(
            iterations, 100 * train, color=style.ORANGE, linestyle='--',
            label='all, while measuring',
        )  # fmt: skip
        axes.plot(
            iterations, 100 * held_out, color=style.VERMILLION, linestyle='-.',
            drawstyle='steps-post', label='held out',
        )  # fmt: skip
    lowest = min(
        np.nanmin([run.train_accuracy.min(), *run.held_out_accuracy]) for run in (final, *folds)
    )
    floor = max(0.0, 10.0 * math.floor(10 * lowest - 1.0))
    axes.set(xlabel='iteration (count)', ylabel='right predictions (%)', ylim=(floor, 103.0))
    axes.axhline(100.0, color=style.PALE, linewidth=1.0, zorder=1)
    style.legend_above(axes)
