# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Detected problems of samples, and their titles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from edgetpu_retrain.report.analysis.analysis import Analysis
from edgetpu_retrain.report.analysis.reliability import Reliability
from edgetpu_retrain.report.words.conclusions import conclude
from edgetpu_retrain.report.words.problems import problems
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_store import ModelVersion
from edgetpu_retrain.store.samples.sample import TrainingSet
import numpy as np
import pytest

SamplesOf = Callable[..., TrainingSet]
AnalysisOf = Callable[..., Analysis]


@pytest.fixture(scope='module')
def sound(samples_of: SamplesOf, analysis_of: AnalysisOf) -> Analysis:
    """Return an analysis without problems."""
    analysis = analysis_of(samples_of([0] * 40 + [1] * 40, ['cup', 'hat'], spread=0.3))
    assert problems(analysis) == ()
    return analysis


def titles(analysis: Analysis) -> list[str]:
    return [each.title for each in problems(analysis)]


def version(counts: dict[str, int], quantized: float = 0.9) -> ModelVersion:
    classes = len(counts)
    record = ModelRecord(
        tuple(counts), counts, 1.0, 0.9, quantized, ((0,) * classes,) * classes, 'a' * 64, 1.0
    )
    return ModelVersion(3, Path('/data/models/model_000003.tflite'), record, '0' * 64)


def test_the_pair_that_is_confused_most(sound: Analysis) -> None:
    confused = replace(sound, confusion=np.array([[30, 10], [2, 38]]))
    (problem,) = problems(confused)
    assert problem.title == '“\u2068cup\u2069” and “\u2068hat\u2069” are confused'
    assert problem.text.startswith('12 of their 80 samples')
    assert titles(replace(sound, confusion=np.array([[39, 1], [0, 40]]))) == []


def test_many_mistakes_come_from_the_classes_and_not_from_the_labels(
    samples_of: SamplesOf, analysis_of: AnalysisOf
) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 120).tolist()
    analysis = analysis_of(samples_of(labels, truth=[0] * 120))
    assert len(analysis.mislabels) == 0
    first = problems(analysis)[0]
    assert first.title == 'Classes are hard to tell apart'
    assert 'mislabelled' not in conclude(analysis).headline


def test_strangers_that_are_taken_for_a_class(sound: Analysis) -> None:
    def noticed(*shares: float) -> Analysis:
        report = replace(sound.curves.report, noticed=np.array(shares, np.float32))
        return replace(sound, curves=replace(sound.curves, report=report))

    (problem,) = problems(noticed(0.5, 0.3))
    assert problem.title == 'What was never taught is often taken for a class'
    assert 'only 40 % of its samples' in problem.text
    assert titles(noticed(0.9, 0.3)) == titles(noticed(np.nan, np.nan)) == []


def test_few_and_uneven(samples_of: SamplesOf, analysis_of: AnalysisOf) -> None:
    samples = samples_of([0] * 40 + [1] * 9, ['cup', 'hat'], spread=0.3)
    found = problems(analysis_of(samples))
    assert [each.title for each in found] == [
        '1 class has fewer than 10 samples',
        'Classes are uneven',
    ]
    assert '“\u2068hat\u2069” (9)' in found[0].text
    assert '“\u2068cup\u2069” has 40 samples, “\u2068hat\u2069” only 9' in found[1].text


@pytest.mark.parametrize(
    ('right', 'how'), [(0.5, 'too sure of itself'), (1.0, 'less sure than it could be')]
)
def test_confidence_that_misleads(right: float, how: str, sound: Analysis) -> None:
    found = Reliability(np.array([0.9]), np.array([right]), np.array([80]))
    assert titles(replace(sound, reliability=found)) == [f'The model is {how}']


def test_problems_compare_the_version_with_the_samples(sound: Analysis) -> None:
    changed = replace(sound.data, model=version({'cup': 40, 'dog': 3}), elsewhere=2)
    found = problems(replace(sound, data=changed))
    assert [each.title for each in found] == [
        'The samples have changed since version 3',
        '2 samples are of other extractors',
    ]
    assert found[0].text.startswith('“\u2068dog\u2069” 3 → 0 and “\u2068hat\u2069” 0 → 40.')
    lossy = replace(sound.data, model=version({'cup': 40, 'hat': 40}, quantized=0.8))
    assert titles(replace(sound, data=lossy)) == ['Quantization costs accuracy']
