# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The conclusions at the top of the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from edgetpu_retrain.learning.training_report import TAUGHT_IN_ONE_GO
from edgetpu_retrain.report.analysis.analysis import Analysis, wilson_interval
from edgetpu_retrain.report.analysis.learning_curve import LearningCurve
from edgetpu_retrain.report.analysis.mislabels import Mislabels
from edgetpu_retrain.report.words.conclusions import conclude, more_samples, what_was_held_out
from edgetpu_retrain.report.words.phrases import percent
from edgetpu_retrain.store.samples.sample import TrainingSet
import numpy as np
import pytest

SamplesOf = Callable[..., TrainingSet]
AnalysisOf = Callable[..., Analysis]


def with_curve(analysis: Analysis, accuracies: dict[int, list[float]]) -> Analysis:
    """Return the analysis with a learning curve of these accuracies, 500 samples a class."""
    right = [
        [np.arange(500) < round(500 * share) for share in shares] for shares in accuracies.values()
    ]
    labels = np.repeat(list(accuracies), 500)
    curve = LearningCurve(np.array([1, 2, 4, 8]), np.concatenate(right, axis=1), labels)
    return replace(analysis, learning=curve)


def test_enough(samples_of: SamplesOf, analysis_of: AnalysisOf) -> None:
    recordings = np.arange(300) // 15
    samples = samples_of(
        [0] * 150 + [1] * 150, ['cup', 'hat'], spread=0.5, recordings=recordings.tolist()
    )
    top = conclude(analysis_of(samples))
    assert top.mood == 'good'
    assert top.headline.startswith('Yes')
    assert '100 % of 300 samples' in top.sentences[0]
    assert 'between' in top.sentences[0]
    assert 'hardly help' in top.sentences[2]
    assert top.sentences[1].startswith('Whole recordings were held out')


def test_after_one_burst_it_is_never_enough(
    samples_of: SamplesOf, analysis_of: AnalysisOf
) -> None:
    samples = samples_of([0] * 150 + [1] * 150, ['cup', 'hat'], spread=0.5)
    top = conclude(analysis_of(samples))
    assert top.mood == 'more'
    assert top.headline == 'Not known yet: teach every class on another day, too.'
    # An interval would promise something about other days.
    assert 'between' not in top.sentences[0]
    assert top.sentences[1].startswith(f'All classes were {TAUGHT_IN_ONE_GO}. Teach them again')


@pytest.mark.parametrize('count', [1, 20])
def test_the_advice_begins_with_the_background(
    count: int, samples_of: SamplesOf, analysis_of: AnalysisOf
) -> None:
    labels = np.repeat([0, 1], count).tolist()
    sentences = conclude(analysis_of(samples_of(labels, ['cup', 'hat']))).sentences
    advice = sentences[-1]
    assert advice.startswith('First of all, teach what the camera sees without any object')
    assert 'as class “\u2068background\u2069”' in advice
    taught = conclude(analysis_of(samples_of(labels, ['cup', 'background']))).sentences
    assert 'First of all' not in ' '.join(taught)


def test_the_classes_that_were_taught_in_one_go_are_named(
    samples_of: SamplesOf, analysis_of: AnalysisOf
) -> None:
    recordings = [0] * 20 + [1] * 20 + [0] * 20
    samples = samples_of([0] * 40 + [1] * 20, ['cup', 'hat'], recordings=recordings)
    analysis = analysis_of(samples)
    assert f'“\u2068hat\u2069” was {TAUGHT_IN_ONE_GO}' in conclude(analysis).sentences[1]
    assert what_was_held_out(analysis) == (
        'Held out as a whole: recordings of 1 class and blocks of one recording of 1 class.'
    )


def test_the_class_to_add_samples_of_is_named(
    samples_of: SamplesOf, analysis_of: AnalysisOf
) -> None:
    analysis = analysis_of(samples_of([0] * 20 + [1] * 20, ['cup', 'hat'], spread=0.5))
    analysis = with_curve(analysis, {0: [1.0] * 4, 1: [0.2, 0.3, 0.5, 0.8]})
    top = conclude(analysis)
    assert top.mood == 'more'
    assert top.headline == 'Not yet: more samples still help.'
    assert 'from 75 % to 90 %' in top.sentences[2]
    assert 'Add samples of “\u2068hat\u2069” (+30.0 points) first.' in top.sentences[2]


def test_more_of_the_same_does_not_help(samples_of: SamplesOf, analysis_of: AnalysisOf) -> None:
    analysis = analysis_of(samples_of([0] * 60 + [1] * 60, ['cup', 'hat'], spread=6.0))
    assert analysis.accuracy < 0.9
    analysis = with_curve(analysis, {0: [0.7] * 4, 1: [0.7] * 4})
    none = Mislabels(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    top = conclude(replace(analysis, mislabels=none))
    assert top.mood == 'wrong'
    assert 'something else is wrong' in top.headline
    assert 'not at all (70 %)' in top.sentences[2]


def test_wrong_labels_come_before_more_samples(
    samples_of: SamplesOf, analysis_of: AnalysisOf
) -> None:
    truth = [0] * 100 + [1] * 100
    labels = [1, *truth[1:]]
    analysis = analysis_of(samples_of(labels, ['cup', 'hat'], truth=truth, spread=0.5))
    top = conclude(analysis)
    assert top.headline == 'Nearly: first look at 1 sample that may be mislabelled.'
    assert top.problems[0].title == '1 label may be wrong'
    assert top.problems[0].text.startswith('#1: ')


def test_how_much_of_what_was_never_taught_would_be_noticed(
    samples_of: SamplesOf, analysis_of: AnalysisOf
) -> None:
    labels = np.repeat(range(4), 30).tolist()
    analysis = analysis_of(samples_of(labels, ['cup', 'hat', 'dog', 'background'], spread=0.5))
    assert np.isfinite(analysis.noticed).all()
    report = replace(analysis.curves.report, noticed=np.array([0.2, np.nan, 0.6, 1.0], np.float32))
    analysis = replace(analysis, curves=replace(analysis.curves, report=report))
    # Neither the background nor what was not measured counts.
    assert analysis.objects_noticed == pytest.approx(0.4)
    (sentence,) = conclude(analysis).sentences[3:]
    assert f'about {percent(analysis.objects_noticed)} would be classified as unknown' in sentence
    assert 'in views like these' in sentence
    # Of two classes, none can be left out.
    assert len(conclude(analysis_of(samples_of([0] * 9 + [1] * 9))).sentences) == 3


@pytest.mark.parametrize('counts', [[1, 1], [1, 1, 1]])
def test_one_sample_a_class(
    counts: list[int], samples_of: SamplesOf, analysis_of: AnalysisOf
) -> None:
    top = conclude(analysis_of(samples_of(np.repeat(range(len(counts)), counts).tolist())))
    assert top.mood == 'unmeasured'
    assert 'one sample' in top.headline
    assert 'two samples at least' in top.sentences[0]


def test_too_few_for_a_curve(samples_of: SamplesOf, analysis_of: AnalysisOf) -> None:
    analysis = analysis_of(samples_of([0] * 3 + [1] * 3))
    assert conclude(analysis).headline.startswith('Not yet: there are too few samples')
    assert 'five of a class' in more_samples(analysis)


def test_the_interval_of_a_share() -> None:
    # Newcombe, Statistics in Medicine 17, 1998, table I: 81 of 263, score method.
    low, high = wilson_interval(81, 263)
    assert low == pytest.approx(0.2553, abs=1e-4)
    assert high == pytest.approx(0.3662, abs=1e-4)
    assert wilson_interval(0, 0) == (0.0, 1.0)
