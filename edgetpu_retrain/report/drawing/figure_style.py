# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The style of figures: colours that are safe for colour-blind readers, and plain axes."""

from __future__ import annotations

from pathlib import Path

from edgetpu_retrain.report.words.phrases import shown
from matplotlib.axes import Axes

# BLUE to SKY are from the palette of M. Okabe and K. Ito, 'Color Universal Design', 2008.
BLUE = '#0072B2'
ORANGE = '#E69F00'
VERMILLION = '#D55E00'
GREEN = '#009E73'
SKY = '#56B4E9'
INK = '#1d2733'
FAINT = '#566474'
PALE = '#c9d1da'

STYLE = Path(__file__).with_name('figures.mplstyle')
"""Path of the matplotlib style sheet of the figures."""

MOST_CLASSES = 16
"""Maximum number of classes in a figure; more would be too small to read."""

_LONGEST_LABEL = 16


def label_in_figure(label: str) -> str:
    """
    Return a class name, truncated to fit into a figure.

    Draw it with ``parse_math=False``.  Otherwise, a name such as '$x$' is drawn as a formula.
    """
    return shown(label, _LONGEST_LABEL)


def legend_above(axes: Axes) -> None:
    """Place the legend above the axes, where it hides no data and may be wider than the axes."""
    columns = len(axes.get_legend_handles_labels()[0])
    axes.legend(bbox_to_anchor=(1.0, 1.0), ncol=columns)  # ncols needs matplotlib 3.6


def write_reason(axes: Axes, reason: str) -> None:
    """Write into empty axes why the figure cannot be drawn."""
    axes.set(xticks=[], yticks=[])
    axes.text(0.5, 0.5, reason, ha='center', va='center', wrap=True, transform=axes.transAxes)
