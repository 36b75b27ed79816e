# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Detects problems with the samples, and explains how to fix them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgetpu_retrain.label import BACKGROUND
from edgetpu_retrain.report.analysis.analysis import Analysis
from edgetpu_retrain.report.analysis.mislabels import Mislabels
from edgetpu_retrain.report.words.phrases import listed, percent, points, quoted
from edgetpu_retrain.wording import counted
import numpy as np

# It is a problem if one class has more than this many times as many samples as another; the limit
# is the same in learning/training_report.
_UNEVEN = 3
# Fewer samples than this give no reliable metrics for their class.
_FEW = 10
# Fewer confusions of two classes than this may be chance.
_CONFUSED = 2
# A larger difference between mean confidence and accuracy makes confidence thresholds misleading.
_MISLEADING = 0.05
_QUANTIZATION_LOSS = 0.01
# It is a problem if a smaller share of things that were never taught is classified as unknown.
_NOTICED = 0.5
# If the head misclassifies more than this share of the samples, the cause is that classes are hard
# to distinguish, and not single wrong labels.
_HARD = 0.25


@dataclass(frozen=True)
class Problem:
    """
    A problem with the samples or the model.

    Args:
        title: the problem in a few words.
        text: details, and what to do.
    """

    title: str
    text: str


def problems(analysis: Analysis) -> tuple[Problem, ...]:
    """Return the problems, the most severe first."""
    checks = (
        _mislabels,
        _hard_to_tell_apart,
        _confused_pair,
        _strangers,
        _few_samples,
        _imbalance,
        _confidence,
        _quantization,
        _changed,
        _elsewhere,
    )
    return tuple(problem for check in checks for problem in check(analysis))


def _mislabels(analysis: Analysis) -> Iterator[Problem]:
    suspects = len(analysis.mislabels)
    if suspects:
        ids = [f'#{number}' for number in analysis.suspects.tolist()]
        yield Problem(
            f'{counted(suspects, "label", "labels")} may be wrong',
            f'{listed(ids, most=20)}: each looks like another class than the one it was taught '
            f'as. {how_many_are_wrong(analysis.mislabels)} Look at them below. Where the label is '
            'wrong, relabel or remove the sample, then train again.',
        )


def how_many_are_wrong(found: Mislabels) -> str:
    """Return a sentence on how many of the labels in ``found`` (not empty) are probably wrong."""
    if len(found) == 1:
        return f'It is wrong with a probability of {percent(float(found.chances[0]))}.'
    expected = round(found.expected)
    if expected == len(found):
        return 'Probably all of them are wrong.'
    return (
        f'Probably about {expected} of the {len(found)} are wrong; the others are unusual views.'
    )


def _hard_to_tell_apart(analysis: Analysis) -> Iterator[Problem]:
    predicted = analysis.labels_held_out
    mistakes, count = int((~predicted.right).sum()), len(predicted.rows)
    if mistakes > _HARD * count:
        yield Problem(
            'Classes are hard to tell apart',
            f'{mistakes} of {counted(count, "sample", "samples")} were taken for another class '
            'by a model that knew the others, also those of the same recording. Check that '
            'classes are different things, that each sample shows its own, and teach more of them '
            'from different views.',
        )


def _confused_pair(analysis: Analysis) -> Iterator[Problem]:
    both_ways = analysis.confusion + analysis.confusion.T
    np.fill_diagonal(both_ways, 0)
    count = int(both_ways.max())
    if count >= _CONFUSED:
        pair = [int(part) for part in np.unravel_index(both_ways.argmax(), both_ways.shape)]
        first, second = (quoted(analysis.names[number]) for number in pair)
        yield Problem(
            f'{first} and {second} are confused',
            f'{count} of their {analysis.confusion[pair].sum()} samples were taken for the other '
            'one. Show both in the views in which they look alike, above all with the same '
            'background; if they are one thing, make them one class.',
        )


def _strangers(analysis: Analysis) -> Iterator[Problem]:
    if analysis.objects_noticed < _NOTICED:
        yield Problem(
            'What was never taught is often taken for a class',
            f'If a class is left out of the training, only {percent(analysis.objects_noticed)} of '
            'its samples are classified as unknown. Teach what the camera will see beside the '
            'classes: each thing that looks like one of them as a class of its own, and the scene '
            f'without anything as {quoted(BACKGROUND)}.',
        )


def _few_samples(analysis: Analysis) -> Iterator[Problem]:
    counts = analysis.data.counts.items()
    few = [f'{quoted(name)} ({count})' for name, count in counts if count < _FEW]
    if few:
        yield Problem(
            f'{counted(len(few), "class has", "classes have")} fewer than {_FEW} samples',
            f'{listed(few)}: figures about so few samples are guesses. Add samples from '
            'different views.',
        )


def _imbalance(analysis: Analysis) -> Iterator[Problem]:
    counts = analysis.counts
    most, least = int(counts.argmax()), int(counts.argmin())
    if counts[most] > _UNEVEN * counts[least]:
        yield Problem(
            'Classes are uneven',
            f'{quoted(analysis.names[most])} has {counts[most]} samples, '
            f'{quoted(analysis.names[least])} only {counts[least]}. Training draws every class '
            'equally often, but cannot make up views that were never shown: add samples of the '
            'small classes.',
        )


def _confidence(analysis: Analysis) -> Iterator[Problem]:
    excess = analysis.reliability.excess
    if abs(excess) > _MISLEADING:
        how, effect = (
            ('too sure of itself', 'wrong predictions pass a threshold')
            if excess > 0.0
            else ('less sure than it could be', 'right predictions may be rejected as unknown')
        )
        yield Problem(
            f'The model is {how}',
            f'Confidence and accuracy differ by {points(excess)} on average, so '
            f'{effect}. More samples make confidence more accurate.',
        )


def _quantization(analysis: Analysis) -> Iterator[Problem]:
    model = analysis.data.model
    if model is None:
        return
    measured = model.record.validation_accuracy
    quantized = model.record.quantized_validation_accuracy
    if measured and quantized is not None and measured - quantized >= _QUANTIZATION_LOSS:
        yield Problem(
            'Quantization costs accuracy',
            f'The file of version {model.version} gets {percent(quantized)} right, its training '
            f'got {percent(measured)}. Train again with other options, or with more samples.',
        )


def _changed(analysis: Analysis) -> Iterator[Problem]:
    model, changes = analysis.data.model, analysis.data.changes_since_training()
    if model and changes:
        named = [f'{quoted(name)} {then} → {now}' for name, then, now in changes]
        yield Problem(
            f'The samples have changed since version {model.version}',
            f'{listed(named)}. This report is about the samples as they are now: train to let '
            'the robot know them.',
        )


def _elsewhere(analysis: Analysis) -> Iterator[Problem]:
    count = analysis.data.elsewhere
    if count:
        yield Problem(
            f'{counted(count, "sample is", "samples are")} of other extractors',
            'They are left out here and in training. Where their pictures are stored, '
            '~/reembed_samples brings them in.',
        )
