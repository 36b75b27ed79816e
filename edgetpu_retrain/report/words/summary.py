# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The conclusions of a report as plain values, for scripts."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.report.analysis.analysis import Analysis
from edgetpu_retrain.report.words.conclusions import Conclusions
from edgetpu_retrain.report.words.phrases import shown


def summary_of(analysis: Analysis, top: Conclusions) -> dict[str, Any]:
    """
    Return the conclusions and the numbers behind them as values for JSON.

    Args:
        analysis: the results.
        top: the conclusions from these results.
    """
    held_out, found = analysis.held_out, analysis.mislabels
    return {
        'headline': top.headline,
        'sentences': [shown(sentence) for sentence in top.sentences],
        'problems': [
            {'title': shown(problem.title), 'text': shown(problem.text)}
            for problem in top.problems
        ],
        'accuracy': analysis.accuracy,
        'samples_evaluated': analysis.evaluated,
        'held_out_unit': held_out.unit if analysis.evaluated else None,
        'held_out_units': dict(zip(analysis.names, held_out.units, strict=True)),
        'unknown_noticed': analysis.objects_noticed,
        'unknown_noticed_by_class': dict(
            zip(analysis.names, analysis.noticed.tolist(), strict=True)
        ),
        'expected_wrong_labels': found.expected,
        'suspicious_labels': [
            {
                'sample_id': sample_id,
                'label': analysis.names[label],
                'looks_like': analysis.names[looks_like],
                'probability_wrong': chance,
            }
            for sample_id, label, looks_like, chance in zip(
                analysis.suspects.tolist(),
                analysis.labels_held_out.labels[found.positions].tolist(),
                found.looks_like.tolist(),
                found.chances.tolist(),
                strict=True,
            )
        ],
    }
