# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures: every one has axes, units and a caption, for any samples."""

from __future__ import annotations

from collections.abc import Callable

import cv2
from edgetpu_retrain.report.analysis.analysis import Analysis
from edgetpu_retrain.report.drawing.figure_style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    SKY,
    STYLE,
    VERMILLION,
)
from edgetpu_retrain.report.drawing.figures import drawings, sheet_of, svg_of
from edgetpu_retrain.report.drawing.training_figures import draw_accuracy, draw_loss
from edgetpu_retrain.report.words.conclusions import conclude
from edgetpu_retrain.store.samples.sample import TrainingSet
import matplotlib as mpl
from matplotlib.figure import Figure
import matplotlib.style
import numpy as np
import pytest

SamplesOf = Callable[..., TrainingSet]
AnalysisOf = Callable[..., Analysis]

# 'class' names; everything else is counted or measured in something.
UNITS = ('(count)', '(%)', '(nats)', '(class)', 'class', 'distance', 'count)')

LABELS = {
    'usual': [0] * 20 + [1] * 20 + [2] * 9,
    'two classes': [0] * 6 + [1] * 6,
    'one sample a class': [0, 1],
    'a single one beside many': [0] * 8 + [1],
    'few': [0] * 3 + [1] * 2,
    'many classes': np.repeat(np.arange(16), 5).tolist(),
    'a held-out split': [0] * 150 + [1] * 150,
}


@pytest.fixture(scope='module', params=list(LABELS))
def analysis(
    request: pytest.FixtureRequest, samples_of: SamplesOf, analysis_of: AnalysisOf
) -> Analysis:
    return analysis_of(samples_of(LABELS[request.param], spread=2.0))


def test_axes_have_names_and_units(analysis: Analysis) -> None:
    for drawing in drawings(analysis):
        axes = Figure().subplots()
        drawing.draw(axes, analysis)
        for label in (axes.get_xlabel(), axes.get_ylabel()):
            assert label.endswith(UNITS) or 'distance' in label, drawing.name
        assert drawing.title
        assert drawing.caption.endswith('.')
        assert 'nan' not in drawing.caption


def test_the_questions_are_all_there(analysis: Analysis) -> None:
    assert [each.name for each in drawings(analysis)] == [
        'learning-curve', 'gain', 'confusion', 'balance', 'spacing', 'reliability', 'loss',
        'accuracy',
    ]  # fmt: skip


def test_the_same_analysis_gives_the_same_file(analysis: Analysis) -> None:
    for drawing in drawings(analysis)[:3]:
        svg = svg_of(drawing, analysis)
        assert svg == svg_of(drawing, analysis)
        assert b'<svg' in svg[:1000]
        # Letters are outlines, so that no font is missing anywhere.
        assert b'<text' not in svg


def test_with_few_recordings_the_run_for_other_views_is_no_fold(
    samples_of: SamplesOf, analysis_of: AnalysisOf
) -> None:
    days = (np.arange(300) // 75).tolist()
    samples = samples_of([0] * 150 + [1] * 150, recordings=days, spread=2.0)
    analysis = analysis_of(samples)
    folds = analysis.curves.measuring[:2]
    axes = Figure().subplots()
    draw_accuracy(axes, analysis)
    lines = {str(line.get_label()): line for line in axes.get_lines()}
    for label, field in (
        ('held out', 'held_out_accuracy'),
        ('all, while measuring', 'train_accuracy'),
    ):
        drawn = np.asarray(lines[label].get_ydata(), float)
        np.testing.assert_allclose(drawn, 100 * np.mean([getattr(f, field) for f in folds], 0))
    axes = Figure().subplots()
    draw_loss(axes, analysis)
    # A line for each run; the legend has one for all runs that measure.
    assert len(axes.get_lines()) == 4
    assert 'while measuring, 2 folds' in axes.get_legend_handles_labels()[1]


def test_all_figures_in_one_picture(samples_of: SamplesOf, analysis_of: AnalysisOf) -> None:
    analysis = analysis_of(samples_of([0, 1]))
    png = sheet_of(drawings(analysis), analysis, conclude(analysis))
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] == 1200
    # Something is drawn in both columns, all the way down.
    quarter = picture.shape[0] // 4
    for column in (picture[:, :600], picture[:, 600:]):
        rows = (column < 128).any(axis=(1, 2))
        assert rows[:quarter].any()
        assert rows[-quarter:].any()


def test_figures_leave_matplotlib_as_it_was(analysis: Analysis) -> None:
    before = dict(mpl.rcParams)
    svg_of(drawings(analysis)[0], analysis)
    assert dict(mpl.rcParams) == before


def test_the_numbers_drawn_are_those_analysed(
    samples_of: SamplesOf, analysis_of: AnalysisOf
) -> None:
    found = analysis_of(samples_of([0] * 12 + [1] * 30, spread=3.0))
    drawn = {each.name: each.draw for each in drawings(found)}
    axes = Figure().subplots()
    drawn['balance'](axes, found)
    assert [bar.get_bbox().width for bar in axes.containers[0]] == [12, 30]
    axes = Figure().subplots()
    drawn['learning-curve'](axes, found)
    assert found.learning is not None
    drawn_at = np.asarray(axes.lines[0].get_ydata(), np.float64)
    np.testing.assert_allclose(drawn_at, 100 * found.learning.accuracies)
    axes = Figure().subplots()
    drawn['confusion'](axes, found)
    counts = sorted(int(text.get_text()) for text in axes.texts)
    assert counts == sorted(found.confusion[found.confusion > 0].tolist())


def test_of_many_classes_the_ones_that_matter_are_drawn(
    samples_of: SamplesOf, analysis_of: AnalysisOf
) -> None:
    # 16 corners, 20 classes: the last four lie where the first four do.
    labels = np.repeat(np.arange(20), 6).tolist()
    found = analysis_of(samples_of(labels, truth=[label % 16 for label in labels], spread=0.3))
    all_drawings = {each.name: each for each in drawings(found)}
    assert '20 classes, the 16 with the most mistakes' in all_drawings['confusion'].caption
    axes = Figure().subplots()
    all_drawings['confusion'].draw(axes, found)
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert len(names) == 16
    assert {f'class {number}' for number in (0, 1, 2, 3, 16, 17, 18, 19)} <= set(names)


@pytest.mark.filterwarnings('error')
def test_a_label_is_only_a_name(samples_of: SamplesOf, analysis_of: AnalysisOf) -> None:
    names = ['$x_$', '<script>alert(1)<script>', '猫', '\u202eevil', '%s {x}', 'x' * 100]
    labels = [number for number in range(len(names)) for _ in range(5)]
    found = analysis_of(samples_of(labels, names, spread=3.0))
    assert sheet_of(drawings(found), found, conclude(found))
    axes = Figure().subplots()
    draw = {each.name: each.draw for each in drawings(found)}['balance']
    draw(axes, found)
    drawn = [text.get_text() for text in axes.get_yticklabels()]
    assert drawn[0] == names[0]
    assert drawn[3] == 'evil'
    assert drawn[5] == 'x' * 15 + '…'


def test_colours_differ_for_colour_blind_eyes() -> None:
    """Red-blind and green-blind eyes see them apart (matrices of Machado et al., 2009)."""
    matrices = (
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]],
    )  # fmt: skip
    colours = [mpl.colors.to_rgb(each) for each in (BLUE, ORANGE, VERMILLION, GREEN, SKY)]
    for matrix in matrices:
        seen = np.clip(np.array(colours) @ np.array(matrix).T, 0.0, 1.0)
        apart = np.linalg.norm(seen[:, np.newaxis] - seen, axis=2)
        assert apart[~np.eye(len(colours), dtype=bool)].min() > 0.15
    with mpl.style.context(STYLE):
        assert mpl.rcParams['figure.facecolor'] == 'white'
        assert mpl.rcParams['text.color'] == INK
