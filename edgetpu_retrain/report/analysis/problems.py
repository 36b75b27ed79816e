# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Detects problems with the samples, and explains how to fix them."""

from __future__ import annotations

from dataclasses import dataclass

from edgetpu_retrain.report.analysis.report_analysis import Analysis
from edgetpu_retrain.report.words.phrases import listed, number_of, percent, points, quoted
import numpy as np

# Ratio of samples between two classes that is a problem, as in learning/training_report.
_UNEVEN = 3
# Fewer samples than this give no reliable metrics for their class.
_FEW = 10
# Fewer confusions of two classes may be chance.
_CONFUSED = 2
# A larger calibration error makes confidence thresholds misleading.
_MISLEADING = 0.05
_QUANTIZATION_LOSS = 0.01


@dataclass(frozen=True)
class Problem:
    """
    One problem.

    Args:
        title: the problem in a few words.
        text: details, and what to do.
    """

    title: str
    text: str


def problems(analysis: Analysis) -> tuple[Problem, ...]:
    """Return the problems, the most severe first."""
    found = (
        _mislabels(analysis),
        _confused_pair(analysis),
        _few_samples(analysis),
        _imbalance(analysis),
        _confidence(analysis),
        _quantization(analysis),
        _changed(analysis),
        _elsewhere(analysis),
    )
    return tuple(problem for problem in found if problem is not None)


def _mislabels(analysis: Analysis) -> Problem | None:
    suspects = len(analysis.mislabels)
    if not suspects:
        return None
    if analysis.too_many_suspects:
        return Problem(
            'Classes cannot be told apart',
            f'{suspects} of {number_of(analysis.judged, "sample")} look like another class than '
            'the one they were taught as. Check that classes are different things, that each '
            'sample shows its own, and teach more of them from different views.',
        )
    ids = analysis.material.samples.ids[analysis.held_out.rows[analysis.mislabels.positions]]
    numbers = listed([f'#{number}' for number in ids.tolist()], most=20)
    return Problem(
        f'{number_of(suspects, "label")} may be wrong',
        f'{numbers}: each looks like another class than the one it was taught as. Look at them '
        'below. Where the label is wrong, relabel or remove the sample by its number '
        '(~/relabel_samples), then train again.',
    )


def _confused_pair(analysis: Analysis) -> Problem | None:
    both_ways = analysis.confusion + analysis.confusion.T
    np.fill_diagonal(both_ways, 0)
    one, other = (int(part) for part in np.unravel_index(both_ways.argmax(), both_ways.shape))
    count = int(both_ways[one, other])
    if count < _CONFUSED:
        return None
    total = int(analysis.confusion[one].sum() + analysis.confusion[other].sum())
    first, second = quoted(analysis.names[one]), quoted(analysis.names[other])
    return Problem(
        f'{first} and {second} are confused',
        f'{count} of their {total} samples were taken for the other one. Show both in the views '
        'in which they look alike, above all with the same background; if they are one thing, '
        'make them one class.',
    )


def _few_samples(analysis: Analysis) -> Problem | None:
    few = [
        f'{quoted(name)} ({count})'
        for name, count in analysis.material.counts.items()
        if count < _FEW
    ]
    if not few:
        return None
    return Problem(
        f'{number_of(len(few), "class has", "classes have")} fewer than {_FEW} samples',
        f'{listed(few)}: figures about so few samples are guesses. Add samples from different '
        'views.',
    )


def _imbalance(analysis: Analysis) -> Problem | None:
    counts = analysis.counts
    most, least = int(counts.argmax()), int(counts.argmin())
    if counts[most] <= _UNEVEN * counts[least]:
        return None
    return Problem(
        'Classes are uneven',
        f'{quoted(analysis.names[most])} has {counts[most]} samples, '
        f'{quoted(analysis.names[least])} only {counts[least]}. Training draws every class '
        'equally often, but cannot make up views that were never shown: add samples of the '
        'small classes.',
    )


def _confidence(analysis: Analysis) -> Problem | None:
    excess = analysis.reliability.excess
    if not abs(excess) > _MISLEADING:
        return None
    how, effect = (
        ('too sure of itself', 'wrong answers pass a threshold')
        if excess > 0.0
        else ('less sure than it could be', 'right answers may be called unknown')
    )
    return Problem(
        f'The model is {how}',
        f'Confidence and share of right answers differ by {points(excess)} on average, so '
        f'{effect}. More samples make confidence more honest.',
    )


def _quantization(analysis: Analysis) -> Problem | None:
    model = analysis.material.model
    if model is None:
        return None
    measured = model.record.validation_accuracy
    quantized = model.record.quantized_validation_accuracy
    if measured is None or quantized is None or measured - quantized < _QUANTIZATION_LOSS:
        return None
    return Problem(
        'Quantization costs accuracy',
        f'The file of version {model.version} gets {percent(quantized)} right, its training got '
        f'{percent(measured)}. Train again with other options, or with more samples.',
    )


def _changed(analysis: Analysis) -> Problem | None:
    material = analysis.material
    changes = material.changes_since_training()
    if material.model is None or not changes:
        return None
    named = [f'{quoted(name)} {then} → {now}' for name, then, now in changes]
    return Problem(
        f'The samples have changed since version {material.model.version}',
        f'{listed(named)}. This report is about the samples as they are now: train to let the '
        'robot know them.',
    )


def _elsewhere(analysis: Analysis) -> Problem | None:
    count = analysis.material.elsewhere
    if not count:
        return None
    return Problem(
        f'{number_of(count, "sample is", "samples are")} of other extractors',
        'They are left out here and in training. Where their pictures are stored, '
        '~/reembed_samples brings them in.',
    )
