# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
All figures of the report, with their titles and captions.

matplotlib is used without ``pyplot``, which may open windows and stores figures globally.  So a
report works on a robot without a display and in any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import io
import textwrap
import warnings

from edgetpu_retrain.report.analysis.analysis import Analysis
from edgetpu_retrain.report.drawing import prediction_figures, sample_figures, training_figures
from edgetpu_retrain.report.drawing.figure_style import FAINT, MOST_CLASSES, STYLE
from edgetpu_retrain.report.words.conclusions import Conclusions
from edgetpu_retrain.report.words.phrases import shown
import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
import matplotlib.style
import numpy as np

Draw = Callable[[Axes, Analysis], None]

# Size of a figure, inches; at 96 pixels per inch, it is about as wide as a column of the page, so
# that its text is hardly scaled.
_SIZE = (4.7, 3.6)
_SHEET_WIDTH = 12.0
_CONCLUSION_HEIGHT = 3.4
_ROW_HEIGHT = 5.0
_SHEET_DPI = 100
# Spacing is set by rcParams, because matplotlib 3.5 has no layout engines.
_SHEET_SPACING = {'figure.constrained_layout.w_pad': 0.15, 'figure.constrained_layout.h_pad': 0.12}
_SHEET_COLUMNS = 2
# What fits on the sheet: characters per line of the conclusions, characters per line of a caption,
# and number of problems.
_CONCLUSION_LINE = 150
_SENTENCE_LINE = 92
_PROBLEMS = 5


@dataclass(frozen=True)
class Drawing:
    """
    A figure of the report.

    Args:
        name: the figure's anchor on the page.
        title: its title, a question.
        caption: what the figure shows.
        draw: draws the figure into axes.
    """

    name: str
    title: str
    caption: str
    draw: Draw


def drawings(analysis: Analysis) -> tuple[Drawing, ...]:
    """Return all figures, in the order of the page."""
    many = len(analysis.names) > MOST_CLASSES
    drawn = len(prediction_figures.confused_classes(analysis))
    which = f' Of {len(analysis.names)} classes, the {drawn} '
    return (
        Drawing(
            'learning-curve',
            'Would more samples help?',
            'Share of held-out samples recognized by models trained on an eighth, a quarter, half '
            'and all of the others; each step doubles them. While the line climbs, more samples '
            'help. Bars are two standard errors.',
            sample_figures.draw_learning_curve,
        ),
        Drawing(
            'gain',
            'Samples of which class?',
            'How much of each class is recognized after training on half (ring) and on all '
            '(diamond) of the other samples: a long way to the right means that more of this '
            'class help.' + (f'{which}least recognized are shown.' if many else ''),
            sample_figures.draw_gain_by_class,
        ),
        Drawing(
            'confusion',
            'What is taken for what?',
            'Confusion matrix of held-out samples in counts: a row is what a sample was taught '
            'as, a column what it was taken for. Everything off the diagonal is a mistake.'
            + (f'{which}with the most mistakes are shown.' if many else ''),
            prediction_figures.draw_confusion,
        ),
        Drawing(
            'balance',
            'How many samples of each class?',
            'Samples in the store, by class. Classes with far fewer than the others are known '
            'from fewer views.' + (f'{which}smallest are shown.' if many else ''),
            sample_figures.draw_class_balance,
        ),
        Drawing(
            'spacing',
            'How different are the samples?',
            'How far samples are from the nearest other one: half of them are within '
            f'{np.median(analysis.spacing):.3f}. Many near 0 are nearly the same frame; they '
            'teach little, and make all figures here look better than a new view would.',
            sample_figures.draw_spacing,
        ),
        Drawing(
            'reliability',
            'Can its confidence be believed?',
            _reliability_caption(analysis),
            prediction_figures.draw_reliability,
        ),
        Drawing(
            'loss',
            'Did the training converge?',
            'Loss of each batch along the training; it should fall and level off. Dashed: the '
            'shorter trainings that measure; solid: the one on all samples that makes the model.',
            training_figures.draw_loss,
        ),
        Drawing(
            'accuracy',
            'Does it learn by heart?',
            'Share of right predictions along the training: of all samples, and of those held out '
            'from the trainings that measure (measured four times a run). A wide gap at the end '
            'means that single samples were learned by heart.',
            training_figures.draw_accuracy,
        ),
    )


def svg_of(drawing: Drawing, analysis: Analysis) -> bytes:
    """Return a figure as an SVG file."""
    with _drawing():
        figure = Figure(figsize=_SIZE, layout='constrained')
        drawing.draw(figure.subplots(), analysis)
        buffer = io.BytesIO()
        figure.savefig(buffer, format='svg', metadata={'Date': None, 'Creator': None})
    return buffer.getvalue()


def sheet_of(all_drawings: tuple[Drawing, ...], analysis: Analysis, top: Conclusions) -> bytes:
    """Return the conclusions and all figures as one PNG file."""
    rows = -(-len(all_drawings) // _SHEET_COLUMNS)
    heights = [_CONCLUSION_HEIGHT, *[_ROW_HEIGHT] * rows]
    with _drawing(), mpl.rc_context(_SHEET_SPACING):
        figure = Figure(figsize=(_SHEET_WIDTH, sum(heights)), dpi=_SHEET_DPI, layout='constrained')
        grid = figure.add_gridspec(1 + rows, _SHEET_COLUMNS, height_ratios=heights)
        _write_conclusion(figure.add_subfigure(grid[0, :]), top)
        for number, drawing in enumerate(all_drawings):
            row, column = divmod(number, _SHEET_COLUMNS)
            panel = figure.add_subfigure(grid[1 + row, column])
            drawing.draw(panel.subplots(), analysis)
            panel.suptitle(drawing.title, x=0.03, ha='left', weight='bold')
            caption = textwrap.fill(drawing.caption, _SENTENCE_LINE)
            panel.supxlabel(caption, x=0.03, ha='left', fontsize=8.5, color=FAINT)
        buffer = io.BytesIO()
        figure.savefig(buffer, format='png', metadata={'Software': None})
    return buffer.getvalue()


def _reliability_caption(analysis: Analysis) -> str:
    sentence = (
        'Share of right predictions among held-out samples, over how sure the model was: on the '
        'dotted line, a prediction with 80 % is right in 80 of 100 cases; below it, the model '
        'is too sure. Thin lines: 95 % confidence.'
    )
    if not analysis.evaluated:
        return sentence
    found = analysis.reliability
    how = 'too sure' if found.excess > 0.0 else 'less sure than it could be'
    return (
        f'{sentence} Here the two differ by {100 * found.error:.1f} points on average; on the '
        f'whole the model is {100 * abs(found.excess):.1f} points {how}.'
    )


def _write_conclusion(panel: SubFigure, top: Conclusions) -> None:
    panel.suptitle('Have I done enough?', x=0.015, ha='left', weight='bold')
    panel.text(0.015, 0.8, top.headline, va='top', fontsize=16, weight='bold', parse_math=False)
    paragraphs = [*top.sentences, *(f'• {each.title}' for each in top.problems[:_PROBLEMS])]
    text = '\n'.join(textwrap.fill(shown(paragraph), _CONCLUSION_LINE) for paragraph in paragraphs)
    panel.text(0.015, 0.62, text, va='top', linespacing=1.5, parse_math=False)


@contextmanager
def _drawing() -> Iterator[None]:
    """Apply the report's style inside the ``with`` block."""
    with mpl.style.context(STYLE), warnings.catch_warnings():
        # Ignore warnings about characters that the font lacks: the page's tables show them.
        warnings.filterwarnings('ignore', message='Glyph .* missing from', category=UserWarning)
        yield
