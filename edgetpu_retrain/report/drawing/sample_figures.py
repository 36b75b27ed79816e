# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures of the samples: class balance, learning curve, gain per class and spacing."""

from __future__ import annotations

from collections.abc import Sequence

from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.report.analysis.analysis import Analysis
from edgetpu_retrain.report.analysis.learning_curve import SHARES
from edgetpu_retrain.report.drawing import figure_style as style
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
import numpy as np

_FRACTIONS = dict(zip(SHARES, ('1/8', '1/4', '1/2', 'all'), strict=True))
_TOO_FEW = 'There are too few samples for this:\na class needs five at least.'


def smallest_classes(analysis: Analysis) -> IntArray:
    """Return the classes to show, ascending: all or, of many, the smallest."""
    return np.sort(np.argsort(analysis.counts, kind='stable')[: style.MOST_CLASSES])


def draw_class_balance(axes: Axes, analysis: Analysis) -> None:
    """Draw the number of samples of each class as bars."""
    chosen = smallest_classes(analysis)
    counts = analysis.counts[chosen]
    axes.barh(range(len(chosen)), counts, color=style.BLUE, height=0.7)
    # Not axes.bar_label, which matplotlib 3.5 cannot lay out in a figure with subfigures.
    for place, count in enumerate(counts.tolist()):
        axes.text(count, place, f' {count}', va='center')
    _name_rows(axes, analysis, chosen.tolist())
    axes.grid(visible=False, axis='y')
    axes.set(xlim=(0.0, 1.12 * counts.max()), xlabel='samples (count)', ylabel='class')
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def draw_learning_curve(axes: Axes, analysis: Analysis) -> None:
    """Draw accuracy against the share of samples trained on."""
    curve = analysis.learning
    axes.set(xlabel='samples trained on (share, and count)', ylabel='right predictions (%)')
    if curve is None:
        style.write_reason(axes, _TOO_FEW)
        return
    accuracy = 100 * curve.accuracies
    error = np.sqrt(accuracy * (100 - accuracy) / max(curve.right.shape[1], 1))
    axes.errorbar(
        SHARES, accuracy, yerr=2 * error, color=style.BLUE, marker='o', capsize=4,
        ecolor=style.PALE, elinewidth=2.0,
    )  # fmt: skip
    for share, value in zip(SHARES, accuracy.tolist(), strict=True):
        # The line break moves the number below the marker.
        axes.text(share, value, f'\n  {value:.1f}', va='top', fontsize=9, linespacing=0.9)
    # Use a logarithmic axis, because each step doubles the number of samples.
    axes.set_xscale('log')
    axes.minorticks_off()
    sizes = zip(SHARES, curve.sizes.tolist(), strict=True)
    axes.set_xticks(SHARES, [f'{_FRACTIONS[share]}\n{size}' for share, size in sizes])
    axes.set(xlim=(0.106, 1.25), ylim=(max(0.0, (accuracy - 2 * error).min() - 8.0), 103.0))


def gaining_classes(analysis: Analysis) -> list[tuple[int, float, float]]:
    """
    Return the classes to show, with their recall after training on half and on all samples.

    The classes are in ascending order of the recall after training on all samples.
    """
    curve = analysis.learning
    if curve is None:
        return []
    found = [
        (number, gain.before, gain.after)
        for number in range(len(analysis.names))
        if (gain := curve.gain(number))
    ]
    return sorted(found, key=lambda each: (each[2], each[1]))[: style.MOST_CLASSES]


def draw_gain_by_class(axes: Axes, analysis: Analysis) -> None:
    """Draw, for each class, how doubling the samples changed its recall."""
    axes.set(xlabel='recognized (%)', ylabel='class')
    found = gaining_classes(analysis)
    if not found:
        style.write_reason(axes, _TOO_FEW)
        return
    classes, *shares = zip(*found, strict=True)
    before, after = 100 * np.array(shares)
    places = range(len(found))
    axes.hlines(places, before, after, color=style.PALE, linewidth=3.0)
    axes.scatter(
        before, places, s=60, facecolor='white', edgecolor=style.ORANGE, linewidth=2.0, zorder=3,
        label='with half of the samples',
    )  # fmt: skip
    axes.scatter(
        after, places, s=38, color=style.GREEN, marker='D', linewidth=0.0, zorder=4,
        label='with all',
    )  # fmt: skip
    _name_rows(axes, analysis, classes)
    lowest = min(before.min(), after.min())
    axes.set_xlim(max(0.0, lowest - 10.0) if lowest > 10.0 else -3.0, 103.0)
    style.legend_above(axes)


def draw_spacing(axes: Axes, analysis: Analysis) -> None:
    """Draw a histogram of the samples' distances to their nearest neighbour."""
    distances = analysis.spacing
    shares = np.full(len(distances), 100.0 / len(distances))
    widest = max(float(distances.max()), 0.05)
    axes.hist(distances, 20, range=(0.0, widest), weights=shares, color=style.BLUE, rwidth=0.9)
    axes.grid(visible=False, axis='x')
    axes.set(
        xlim=(0.0, widest),
        xlabel='cosine distance to the nearest other sample',
        ylabel='samples (%)',
    )


def _name_rows(axes: Axes, analysis: Analysis, classes: Sequence[int]) -> None:
    """Label the rows of a figure with class names, from top to bottom."""
    names = [style.label_in_figure(analysis.names[number]) for number in classes]
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.invert_yaxis()
