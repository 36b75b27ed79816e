# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures of the samples: class balance, learning curve, gain per class and spacing."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.report.analysis.learning_curve import SHARES
from edgetpu_retrain.report.analysis.report_analysis import Analysis
from edgetpu_retrain.report.drawing.figure_style import (
    BLUE,
    GREEN,
    label_in_figure,
    legend_above,
    ORANGE,
    PALE,
    say_instead,
)
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation
import numpy as np

MOST_CLASSES = 16
"""More would be too small to read."""

_TOO_FEW = 'There are too few samples for this:\na class needs five at least.'


def smallest_classes(analysis: Analysis) -> IntArray:
    """Return the classes to show: all, or if there are many, the smallest."""
    order = np.argsort(analysis.counts, kind='stable')[:MOST_CLASSES]
    return np.sort(order)


def draw_class_balance(axes: Axes, analysis: Analysis) -> None:
    """Draw the number of samples of each class as bars."""
    chosen = smallest_classes(analysis)
    counts = analysis.counts[chosen]
    places = np.arange(len(chosen))
    axes.barh(places, counts, color=BLUE, height=0.7)
    for place, count in zip(places.tolist(), counts.tolist(), strict=True):
        _write_beside(axes, count, place, str(count), (3.0, 0.0), va='center')
    names = [label_in_figure(analysis.names[number]) for number in chosen.tolist()]
    axes.set_yticks(places, names, parse_math=False)
    axes.invert_yaxis()
    axes.grid(visible=False, axis='y')
    axes.set_xlim(0.0, 1.12 * float(counts.max()))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel('samples (count)')
    axes.set_ylabel('class')


def draw_learning_curve(axes: Axes, analysis: Analysis) -> None:
    """Draw accuracy over the share of samples trained on."""
    curve = analysis.learning
    axes.set_xlabel('samples trained on (% of all, and count)')
    axes.set_ylabel('right answers (%)')
    if curve is None:
        say_instead(axes, _TOO_FEW)
        return
    accuracy = curve.accuracies
    error = np.sqrt(accuracy * (1 - accuracy) / max(curve.right.shape[1], 1))
    axes.errorbar(
        SHARES, 100 * accuracy, yerr=200 * error, color=BLUE, marker='o', capsize=4, ecolor=PALE,
        elinewidth=2.0,
    )  # fmt: skip
    for share, value in zip(SHARES, accuracy.tolist(), strict=True):
        _write_beside(axes, share, 100 * value, f'{100 * value:.1f}', (6.0, -13.0), fontsize=9)
    # Each step doubles the samples, so that equal gains look equal.
    axes.set_xscale('log')
    axes.minorticks_off()
    labels = [
        f'{100 * share:.0f} %\n{size}'
        for share, size in zip(SHARES, curve.sizes.tolist(), strict=True)
    ]
    axes.set_xticks(SHARES, labels)
    axes.set_xlim(0.085, 1.0)
    lowest = 100 * float((accuracy - 2 * error).min())
    axes.set_ylim(max(0.0, lowest - 8.0), 103.0)


def gaining_classes(analysis: Analysis) -> list[tuple[int, float, float]]:
    """Return class, recall with 40 % and with 80 % of the samples, the weakest first."""
    curve = analysis.learning
    if curve is None:
        return []
    found = []
    for number in range(len(analysis.names)):
        gain = curve.gain(number)
        if gain is not None:
            found.append((number, gain.before, gain.after))
    return sorted(found, key=lambda each: (each[2], each[1]))[:MOST_CLASSES]


def draw_gain_by_class(axes: Axes, analysis: Analysis) -> None:
    """Draw, for each class, how doubling the samples changed its recall."""
    axes.set_xlabel('recognized (%)')
    axes.set_ylabel('class')
    found = gaining_classes(analysis)
    if not found:
        say_instead(axes, _TOO_FEW)
        return
    places = np.arange(len(found))
    before = 100 * np.array([each[1] for each in found])
    after = 100 * np.array([each[2] for each in found])
    axes.hlines(places, before, after, color=PALE, linewidth=3.0)
    axes.scatter(
        before, places, s=60, facecolor='white', edgecolor=ORANGE, linewidth=2.0, zorder=3,
        label='with 40 % of the samples',
    )  # fmt: skip
    axes.scatter(
        after, places, s=38, color=GREEN, marker='D', zorder=4, label='with 80 %', linewidth=0.0
    )
    names = [label_in_figure(analysis.names[each[0]]) for each in found]
    axes.set_yticks(places, names, parse_math=False)
    axes.invert_yaxis()
    lowest = float(min(before.min(), after.min()))
    axes.set_xlim(max(0.0, lowest - 10.0) if lowest > 10.0 else -3.0, 103.0)
    legend_above(axes)


def draw_spacing(axes: Axes, analysis: Analysis) -> None:
    """Draw a histogram of the samples' distances to their nearest neighbour."""
    distances = analysis.spacing
    shares = np.full(len(distances), 100.0 / max(len(distances), 1))
    widest = max(float(distances.max(initial=0.0)), 0.05)
    axes.hist(distances, bins=20, range=(0.0, widest), weights=shares, color=BLUE, rwidth=0.9)
    axes.set_xlim(0.0, widest)
    axes.grid(visible=False, axis='x')
    axes.set_xlabel('cosine distance to the nearest other sample')
    axes.set_ylabel('samples (%)')


def _write_beside(
    axes: Axes, x: float, y: float, text: str, points: tuple[float, float], **looks: Any
) -> None:
    """Write a text so many points to the right of and above a place among the data."""
    # axes.annotate and bar_label do this, too, but matplotlib 3.5 cannot lay them out in a sheet.
    right, up = points
    aside = ScaledTranslation(right / 72, up / 72, axes.figure.dpi_scale_trans)
    axes.text(x, y, text, transform=axes.transData + aside, **looks)
