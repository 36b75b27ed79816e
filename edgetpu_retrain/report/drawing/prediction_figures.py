# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures of the held-out predictions: confusion matrix and reliability."""

from __future__ import annotations

from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.report.analysis.analysis import Analysis, wilson_interval
from edgetpu_retrain.report.drawing import figure_style as style
from matplotlib.axes import Axes
import numpy as np

_NOT_MEASURED = 'Nothing could be measured.'

# Number of class names that fit side by side in full size.
_FEW_CLASSES = 8


def confused_classes(analysis: Analysis) -> IntArray:
    """Return the classes to show, ascending: all or, of many, those with the most mistakes."""
    wrong = analysis.confusion.copy()
    np.fill_diagonal(wrong, 0)
    mistakes = wrong.sum(axis=0) + wrong.sum(axis=1)
    return np.sort(np.argsort(-mistakes, kind='stable')[: style.MOST_CLASSES])


def draw_confusion(axes: Axes, analysis: Analysis) -> None:
    """Draw the confusion matrix, shaded by the share of the true class's samples."""
    axes.set(xlabel='prediction (class)', ylabel='truth (class)')
    axes.grid(visible=False)
    if not analysis.evaluated:
        style.write_reason(axes, _NOT_MEASURED)
        return
    chosen = confused_classes(analysis)
    counts = analysis.confusion[np.ix_(chosen, chosen)]
    shares = counts / np.maximum(analysis.confusion[chosen].sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap='Blues', vmin=0.0, vmax=1.0, aspect='auto')
    few = len(chosen) <= _FEW_CLASSES
    size, angle, anchor = (10.0, 40, 'top') if few else (7.0, 90, 'center')
    places = range(len(chosen))
    names = [style.label_in_figure(analysis.names[each]) for each in chosen]
    axes.set_xticks(
        places, names, rotation=angle, ha='right', va=anchor, rotation_mode='anchor',
        fontsize=size, parse_math=False,
    )  # fmt: skip
    axes.set_yticks(places, names, fontsize=size, parse_math=False)
    for row, column in np.argwhere(counts > 0).tolist():
        colour = 'white' if shares[row, column] > 0.5 else style.INK
        text = str(counts[row, column])
        axes.text(column, row, text, ha='center', va='center', fontsize=size, color=colour)


def draw_reliability(axes: Axes, analysis: Analysis) -> None:
    """Draw accuracy against confidence, with the share of predictions at each confidence."""
    found = analysis.reliability
    axes.set(xlabel='confidence of the prediction (%)', ylabel='right predictions (%)')
    if not len(found.counts):
        style.write_reason(axes, _NOT_MEASURED)
        return
    axes.set(xlim=(0.0, 103.0), ylim=(0.0, 106.0))
    confidence = 100 * found.confidence
    shares = 100 * found.counts / found.counts.sum()
    axes.bar(confidence, shares, width=4.0, color=style.PALE, label='share of predictions (%)')
    axes.plot([0, 100], [0, 100], color=style.INK, linestyle=':', linewidth=1.2, label='ideal')
    # Draw confidence intervals, because bins with few predictions are uncertain.
    right = np.round(found.right * found.counts).astype(np.int64)
    intervals = map(wilson_interval, right.tolist(), found.counts.tolist())
    low, high = 100 * np.array(list(intervals)).T
    axes.vlines(confidence, low, high, color=style.SKY, linewidth=2.0)
    axes.plot(confidence, 100 * found.right, color=style.BLUE, marker='o', label='measured')
    style.legend_above(axes)
