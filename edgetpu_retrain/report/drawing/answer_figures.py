# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures of the held-out predictions: confusion matrix and reliability."""

from __future__ import annotations

from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.report.analysis.report_analysis import Analysis, wilson_interval
from edgetpu_retrain.report.drawing.figure_style import (
    BLUE,
    INK,
    label_in_figure,
    legend_above,
    PALE,
    say_instead,
    SKY,
)
from matplotlib.axes import Axes
import numpy as np

MOST_CLASSES = 16
"""More would be too small to read."""

# Number of class names that fit side by side in full size.
_FEW_CLASSES = 8


def confused_classes(analysis: Analysis) -> IntArray:
    """Return the classes to show: all, or if there are many, those with the most mistakes."""
    classes = len(analysis.names)
    if classes <= MOST_CLASSES:
        return np.arange(classes)
    wrong = analysis.confusion.copy()
    np.fill_diagonal(wrong, 0)
    mistakes = wrong.sum(axis=0) + wrong.sum(axis=1)
    return np.sort(np.argsort(-mistakes, kind='stable')[:MOST_CLASSES])


def draw_confusion(axes: Axes, analysis: Analysis) -> None:
    """Draw the confusion matrix, shaded by the share of each true class."""
    axes.set_xlabel('answer (class)')
    axes.set_ylabel('truth (class)')
    axes.grid(visible=False)
    if not analysis.judged:
        say_instead(axes, 'Nothing could be measured.')
        return
    chosen = confused_classes(analysis)
    counts = analysis.confusion[np.ix_(chosen, chosen)]
    totals = np.maximum(analysis.confusion[chosen].sum(axis=1, keepdims=True), 1)
    shares = counts / totals
    axes.imshow(shares, cmap='Blues', vmin=0.0, vmax=1.0, aspect='auto')
    names = [label_in_figure(analysis.names[number]) for number in chosen.tolist()]
    few = len(chosen) <= _FEW_CLASSES
    size, angle = (10.0, 40) if few else (7.0, 90)
    axes.set_xticks(
        range(len(chosen)),
        names,
        rotation=angle,
        ha='right',
        va='top' if few else 'center',
        rotation_mode='anchor',
        fontsize=size,
        parse_math=False,
    )
    axes.set_yticks(range(len(chosen)), names, fontsize=size, parse_math=False)
    for row, column in np.argwhere(counts > 0).tolist():
        axes.text(
            column,
            row,
            str(int(counts[row, column])),
            ha='center',
            va='center',
            fontsize=size,
            color='white' if shares[row, column] > 0.5 else INK,
        )


def draw_reliability(axes: Axes, analysis: Analysis) -> None:
    """Draw accuracy over confidence, with the number of predictions."""
    found = analysis.reliability
    axes.set_xlabel('confidence of the answer (%)')
    axes.set_ylabel('right answers (%)')
    if not len(found.counts):
        say_instead(axes, 'Nothing could be measured.')
        return
    axes.set_xlim(0.0, 103.0)
    axes.set_ylim(0.0, 106.0)
    shares = 100 * found.counts / found.counts.sum()
    axes.bar(100 * found.confidence, shares, width=4.0, color=PALE, label='share of answers (%)')
    axes.plot([0, 100], [0, 100], color=INK, linestyle=':', linewidth=1.2, label='honest')
    # Draw confidence intervals, because bins with few predictions are uncertain.
    right = np.round(found.right * found.counts).astype(np.int64)
    intervals = [
        wilson_interval(one, count)
        for one, count in zip(right.tolist(), found.counts.tolist(), strict=True)
    ]
    low, high = 100 * np.array(intervals).T
    axes.vlines(100 * found.confidence, low, high, color=SKY, linewidth=2.0)
    axes.plot(100 * found.confidence, 100 * found.right, color=BLUE, marker='o', label='measured')
    legend_above(axes)
