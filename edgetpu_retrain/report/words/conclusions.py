# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The conclusions at the top of the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgetpu_retrain.report.analysis.learning_curve import Answer, Gain
from edgetpu_retrain.report.analysis.problems import Problem, problems
from edgetpu_retrain.report.analysis.report_analysis import Analysis
from edgetpu_retrain.report.words.phrases import listed, number_of, percent, points, quoted

# The pass mark of the demo's exam.
_GOOD = 0.95
# Naming more classes at once would not be useful advice.
_CLASSES_NAMED = 3

Mood = Literal['good', 'more', 'wrong', 'unmeasured']


@dataclass(frozen=True)
class Conclusions:
    """
    The conclusions at the top of the report.

    Args:
        mood: the kind of conclusion.
        headline: whether there are enough samples.
        sentences: why, and of which classes more samples would help.
        problems: the problems, the most severe first.
    """

    mood: Mood
    headline: str
    sentences: tuple[str, ...]
    problems: tuple[Problem, ...]


def conclude(analysis: Analysis) -> Conclusions:
    """Return the conclusions."""
    found = problems(analysis)
    mood, headline = _headline(analysis)
    return Conclusions(
        mood,
        headline,
        tuple(filter(None, (_measured(analysis), more_samples(analysis), _validity(analysis)))),
        found,
    )


def more_samples(analysis: Analysis) -> str:
    """Return a sentence on whether more samples would help, and of which class."""
    gain = analysis.learning.gain() if analysis.learning else None
    if gain is None:
        if not analysis.judged:
            return ''
        return (
            'There are too few samples to tell whether more would help: a learning curve needs '
            'at least five of a class. While they are so few, more nearly always help.'
        )
    change = f'from {percent(gain.before)} to {percent(gain.after)}'
    if gain.difference == 0.0:
        change = f'not at all ({percent(gain.after)})'
    chance = f'chance alone makes about ±{100 * 2 * gain.error:.1f} points'
    said = {
        'yes': f'More samples help: going from 40 % to 80 % of the samples changed the share of '
        f'right answers {change}, and {chance}.',
        'no': f'More samples of the same kind would hardly help: going from 40 % to 80 % of the '
        f'samples changed the share of right answers {change}; {chance}.',
        'perhaps': f'More samples may help: going from 40 % to 80 % of the samples changed the '
        f'share of right answers {change}, but {chance}, so these are too few to tell.',
    }[gain.more_helps]
    return f'{said} {_of_which_class(analysis, gain.more_helps)}'.strip()


def _of_which_class(analysis: Analysis, overall: Answer) -> str:
    assert analysis.learning is not None
    gains: list[tuple[str, Gain]] = []
    for number, name in enumerate(analysis.names):
        gain = analysis.learning.gain(number)
        if gain is not None:
            gains.append((name, gain))
    gaining = [(name, gain) for name, gain in gains if gain.more_helps == 'yes']
    gaining.sort(key=lambda each: -each[1].difference)
    if gaining:
        named = [f'{quoted(name)} ({points(gain.difference)})' for name, gain in gaining]
        return f'Add samples of {listed(named, _CLASSES_NAMED)} first.'
    if overall == 'no':
        return ''
    weakest = min(gains, key=lambda each: each[1].after, default=None)
    if weakest is None or weakest[1].after >= 1.0:
        return ''
    name, gain = weakest
    return (
        f'No class stands out; {quoted(name)} is recognized least often ({percent(gain.after)}), '
        'so begin with it.'
    )


def _headline(analysis: Analysis) -> tuple[Mood, str]:
    if not analysis.judged:
        return 'unmeasured', 'Not yet: every class has one sample, so nothing can be measured.'
    gain = analysis.learning.gain() if analysis.learning else None
    if gain is None:
        return 'more', 'Not yet: there are too few samples to tell how good this is.'
    good, suspects = analysis.accuracy >= _GOOD, len(analysis.mislabels)
    if gain.more_helps == 'yes':
        return 'more', 'Not yet: more samples still help.'
    if suspects and not analysis.too_many_suspects:
        so_far = 'Nearly' if good else 'Not yet'
        samples = number_of(suspects, 'sample')
        return 'wrong', f'{so_far}: first look at {samples} that may be mislabelled.'
    if gain.more_helps == 'perhaps':
        if good:
            return 'more', 'Perhaps: it looks good, but there are too few samples to be sure.'
        return 'more', 'Not yet: more samples may help, and something else may be wrong.'
    if good:
        return 'good', 'Yes: for views like those taught, this is enough.'
    return 'wrong', 'More of the same samples will not help: something else is wrong.'


def _measured(analysis: Analysis) -> str:
    if not analysis.judged:
        return (
            'A class needs two samples at least: one to learn from, another to be asked about. '
            'Twenty or more, from different views, tell something.'
        )
    low, high = analysis.interval
    return (
        f'{percent(analysis.accuracy)} of {number_of(analysis.judged, "sample")} were recognized '
        f'by a model that had not seen them (with so many samples the true share is between '
        f'{percent(low)} and {percent(high)}).'
    )


def _validity(analysis: Analysis) -> str:
    if not analysis.judged:
        return ''
    return (
        'This holds for views like those taught. Frames taken shortly after each other are nearly '
        'the same, so a robot in new places will do worse than these figures say.'
    )
