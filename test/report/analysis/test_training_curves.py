# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Loss and accuracy during training, run by run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from edgetpu_retrain.learning import fit
from edgetpu_retrain.report.analysis.training_curves import training_curves
from edgetpu_retrain.store.samples.sample import TrainingSet
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np
import pytest

SamplesOf = Callable[..., TrainingSet]


@pytest.mark.parametrize(
    ('counts', 'method', 'runs'),
    [
        ([20, 20], 'cross-validation', 5),
        ([3, 2], 'cross-validation', 3),
        ([200, 200], 'held-out split', 1),
        ([1, 1], 'none', 0),
    ],
)
def test_every_run_begins_at_0(
    counts: list[int], method: str, runs: int, samples_of: SamplesOf
) -> None:
    labels = np.repeat(range(len(counts)), counts).tolist()
    curves = training_curves(samples_of(labels, spread=2.0), TrainingOptions())
    assert curves.report.method == method
    assert len(curves.measuring) == runs
    for run in (*curves.measuring, curves.final):
        assert run.iterations[0] == 0
        assert np.all(np.diff(run.iterations) > 0)
        assert len(run.loss) == len(run.iterations) == len(run.train_accuracy)
        assert np.isfinite(run.loss).all()
    assert curves.final.iterations[-1] == pytest.approx(curves.report.iterations, abs=4)
    assert np.isnan(curves.final.held_out_accuracy).all()
    for run in curves.measuring:
        assert not np.isnan(run.held_out_accuracy).any()


def test_watching_a_training_does_not_change_it(samples_of: SamplesOf) -> None:
    samples = samples_of([0] * 30 + [1] * 30, spread=3.0)
    curves = training_curves(samples, TrainingOptions(seed=2))
    report = fit(samples.embeddings, samples.labels, seed=2).metrics
    assert report is not None
    assert curves.report.confusion_matrix.tolist() == report.confusion_matrix.tolist()
    assert curves.report.accuracy == report.accuracy


def test_the_run_for_other_views_has_no_held_out_accuracy(samples_of: SamplesOf) -> None:
    samples = samples_of([0] * 200 + [1] * 200, spread=2.0)
    days = replace(samples, recordings=np.arange(400) // 100)
    *others, last = training_curves(days, TrainingOptions()).measuring
    assert len(others) == 2
    assert not np.isnan([run.held_out_accuracy for run in others]).any()
    assert np.isnan(last.held_out_accuracy).all()
