# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The complete analysis."""

from __future__ import annotations

from collections.abc import Callable

from edgetpu_retrain.report.analysis.analysis import Analysis
from edgetpu_retrain.store.samples.sample import TrainingSet

SamplesOf = Callable[..., TrainingSet]
AnalysisOf = Callable[..., Analysis]


def test_each_cell_of_the_confusion_matrix_has_its_samples(
    samples_of: SamplesOf, analysis_of: AnalysisOf
) -> None:
    truth = [0] * 20 + [1] * 20 + [2]
    analysis = analysis_of(samples_of([1, *truth[1:]], truth=truth, spread=0.5))
    confused = analysis.confused
    assert [[len(ids) for ids in row] for row in confused] == analysis.confusion.tolist()
    assert confused[1][0] == [1]
    assert {*confused[0][0]} <= {*range(2, 21)}
    # A class with a single sample is not evaluated.
    assert confused[2] == [[], [], []]
