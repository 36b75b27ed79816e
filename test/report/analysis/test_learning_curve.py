# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Learning curves for which it is known whether more samples help."""

from __future__ import annotations

from collections.abc import Callable

from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.report.analysis import held_out as held_out_module
from edgetpu_retrain.report.analysis import learning_curve as module
from edgetpu_retrain.report.analysis.held_out import cross_validate
from edgetpu_retrain.report.analysis.learning_curve import learning_curve, LearningCurve
from edgetpu_retrain.store.samples.sample import TrainingSet
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np
import pytest

SamplesOf = Callable[..., TrainingSet]
OPTIONS = TrainingOptions()


def curve(accuracies: list[float], count: int, classes: int = 1) -> LearningCurve:
    """Return a curve of so many samples of each class; what is right stays so."""
    right = np.array([np.arange(count) < round(share * count) for share in accuracies])
    labels = np.repeat(np.arange(classes), count)
    return LearningCurve(np.array([1, 2, 4, 8]), np.tile(right, (1, classes)), labels)


@pytest.mark.parametrize(
    ('accuracies', 'count', 'verdict'),
    [
        ([0.5, 0.6, 0.7, 0.8], 200, 'yes'),
        ([0.5, 0.9, 0.9, 0.9], 1000, 'no'),
        ([0.9, 0.9, 0.99, 0.9], 1000, 'no'),
        ([0.5, 0.6, 0.7, 0.8], 10, 'perhaps'),
        ([1.0, 1.0, 1.0, 1.0], 20, 'perhaps'),
        ([1.0, 1.0, 1.0, 1.0], 1000, 'no'),
        ([0.5, 0.6, 0.9, 0.903], 100_000, 'no'),
    ],
)
def test_whether_more_helps(accuracies: list[float], count: int, verdict: str) -> None:
    gain = curve(accuracies, count).gain()
    assert gain is not None
    assert gain.more_helps == verdict


def test_the_gain_distinguishes_classes() -> None:
    climbing, flat = curve([0.2, 0.4, 0.6, 0.8], 200), curve([0.9] * 4, 200)
    both = LearningCurve(
        climbing.sizes,
        np.concatenate([climbing.right, flat.right], axis=1),
        np.repeat([0, 1], 200),
    )
    verdicts = [gain.more_helps for number in (0, 1) if (gain := both.gain(number))]
    assert verdicts == ['yes', 'no']
    assert both.gain(2) is None


def test_more_samples_help_in_a_hard_task() -> None:
    # A plane in 64 dimensions: some tens of samples are too few to find it.
    rng = np.random.default_rng(1)
    embeddings = rng.standard_normal((600, 64)).astype(np.float32)
    labels = (embeddings @ rng.standard_normal(64) > 0).astype(np.int64)
    samples = TrainingSet(embeddings, labels, ('left', 'right'), None)
    found = learning_curve(samples, cross_validate(samples, OPTIONS), OPTIONS)
    assert found is not None
    assert found.accuracies[0] < found.accuracies[1] < found.accuracies[2] < found.accuracies[3]
    gain = found.gain()
    assert gain is not None
    assert gain.more_helps == 'yes'


def test_more_samples_do_not_help_in_an_easy_task(samples_of: SamplesOf) -> None:
    samples = samples_of([0] * 150 + [1] * 150)
    found = learning_curve(samples, cross_validate(samples, OPTIONS), OPTIONS)
    assert found is not None
    gain = found.gain()
    assert gain is not None
    assert gain.more_helps == 'no'
    assert found.sizes.tolist() == [30, 60, 120, 240]


def test_parts_grow_and_never_include_evaluated_samples(
    samples_of: SamplesOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = samples_of([0] * 50 + [1] * 7 + [2])
    held_out = cross_validate(samples, OPTIONS)
    trained: list[set[int]] = []
    fit_rows = held_out_module.fit_rows

    def fit(of: TrainingSet, rows: IntArray, options: TrainingOptions) -> object:
        trained.append(set(rows.tolist()))
        return fit_rows(of, rows, options)

    monkeypatch.setattr(module, 'fit_rows', fit)
    assert learning_curve(samples, held_out, OPTIONS) is not None
    assert len(trained) == 15
    for fold in range(5):
        evaluated = set(np.flatnonzero(held_out.fold_of == fold).tolist())
        small, middle, large = trained[:3]
        del trained[:3]
        assert small < middle < large
        assert not large & evaluated
        # Of every class one at least, also of the one with a single sample.
        assert {int(samples.labels[row]) for row in small} == {0, 1, 2}


def test_too_few_samples_make_no_curve(samples_of: SamplesOf) -> None:
    samples = samples_of([0] * 4 + [1] * 4)
    assert learning_curve(samples, cross_validate(samples, OPTIONS), OPTIONS) is None
