# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The conclusions for scripts."""

from __future__ import annotations

from collections.abc import Callable
import json

from edgetpu_retrain.report.analysis.analysis import Analysis
from edgetpu_retrain.report.words.conclusions import conclude
from edgetpu_retrain.report.words.summary import summary_of
from edgetpu_retrain.store.samples.sample import TrainingSet
import pytest

SamplesOf = Callable[..., TrainingSet]
AnalysisOf = Callable[..., Analysis]


def test_the_summary_names_suspicious_labels_and_what_was_held_out(
    samples_of: SamplesOf, analysis_of: AnalysisOf
) -> None:
    truth = [0] * 40 + [1] * 40
    recordings = [number // 10 for number in range(40)] + [0] * 40
    samples = samples_of(
        [1, *truth[1:]], ['cup', 'hat'], truth=truth, spread=0.5, recordings=recordings
    )
    analysis = analysis_of(samples)
    top = conclude(analysis)
    summary = json.loads(json.dumps(summary_of(analysis, top)))
    assert summary['headline'] == top.headline
    # Not escaped in a terminal.
    assert '“hat” was taught in one go' in summary['sentences'][1]
    assert summary['problems'][0]['title'] == '1 label may be wrong'
    assert summary['held_out_unit'] == 'blocks'
    assert summary['held_out_units'] == {'cup': 'recordings', 'hat': 'blocks'}
    (suspect,) = summary['suspicious_labels']
    assert suspect['probability_wrong'] == pytest.approx(summary['expected_wrong_labels'])
    assert suspect['probability_wrong'] > 0.9
    assert (suspect['sample_id'], suspect['label'], suspect['looks_like']) == (1, 'hat', 'cup')


def test_nothing_measured_is_a_summary_too(samples_of: SamplesOf, analysis_of: AnalysisOf) -> None:
    analysis = analysis_of(samples_of([0, 1]))
    summary = summary_of(analysis, conclude(analysis))
    assert (summary['held_out_unit'], summary['samples_evaluated']) == (None, 0)
