# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The conclusions at the top of the report."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Literal

from edgetpu_retrain.label import BACKGROUND
from edgetpu_retrain.learning.held_out import HeldOutUnit
from edgetpu_retrain.learning.training_report import TAUGHT_IN_ONE_GO
from edgetpu_retrain.report.analysis.analysis import Analysis, wilson_interval
from edgetpu_retrain.report.analysis.learning_curve import LearningCurve, Verdict
from edgetpu_retrain.report.words.phrases import listed, percent, points, quoted
from edgetpu_retrain.report.words.problems import Problem, problems
from edgetpu_retrain.wording import counted

# Minimum accuracy that counts as good, the same as in the demo.
_GOOD = 0.95
# Maximum number of classes named in the advice to add samples.
_CLASSES_NAMED = 3

_RECORDINGS_HELD_OUT = (
    'Whole recordings were held out, so this holds for another day like those taught. In light '
    'and places of which there is no recording, a robot will do worse.'
)
_ANOTHER_DAY = (
    'Teach them again on another day, in other light and from other sides: of two recordings or '
    'more of each class, whole ones are held out.'
)
_NOTHING_MEASURED = (
    'A class needs two samples at least: one to train on and one to evaluate. '
    'Twenty or more, from different views, give useful figures.'
)
_TOO_FEW = (
    'There are too few samples to decide whether more would help: a learning curve needs at least '
    'five of a class. While they are so few, more nearly always help.'
)

_NO_BACKGROUND = (
    f'First of all, teach what the camera sees without any object, such as the empty table, as '
    f'class {quoted(BACKGROUND)}: it is then classified as unknown, and not as one of the objects '
    'that were taught in front of it.'
)
_UNITS: dict[HeldOutUnit, str] = {
    'recordings': 'recordings',
    'blocks': 'blocks of one recording',
    'frames': 'single samples',
}

Mood = Literal['good', 'more', 'wrong', 'unmeasured']


@dataclass(frozen=True)
class Conclusions:
    """
    The conclusions at the top of the report.

    Args:
        mood: the kind of conclusion, for its colour on the page.
        headline: whether there are enough samples.
        sentences: the reasons for the headline, and which classes need more samples.
        problems: the problems, the most severe first.
    """

    mood: Mood
    headline: str
    sentences: tuple[str, ...]
    problems: tuple[Problem, ...]


def conclude(analysis: Analysis) -> Conclusions:
    """Derive the conclusions from an analysis."""
    mood, headline = _headline(analysis)
    first = '' if BACKGROUND in analysis.names else _NO_BACKGROUND
    sentences: tuple[str, ...] = (_NOTHING_MEASURED, first)
    if analysis.evaluated:
        once = once_taught(analysis)
        validity = f'{once} {_ANOTHER_DAY}' if once else _RECORDINGS_HELD_OUT
        advice = f'{first} {more_samples(analysis)}'.strip()
        sentences = _measured(analysis), validity, advice, _unknown(analysis)
    return Conclusions(mood, headline, tuple(filter(None, sentences)), problems(analysis))


def more_samples(analysis: Analysis) -> str:
    """Return one or two sentences on whether more samples would help, and of which class."""
    curve = analysis.learning
    gain = curve.gain() if curve else None
    if curve is None or gain is None:
        return _TOO_FEW
    change = f'from {percent(gain.before)} to {percent(gain.after)}'
    if gain.difference == 0.0:
        change = f'not at all ({percent(gain.after)})'
    change = f'doubling the samples changed the accuracy {change}'
    chance = f'chance alone makes about ±{100 * 2 * gain.error:.1f} points'
    verdict = {
        'yes': f'More samples help: {change}, and {chance}.',
        'no': f'More samples of the same kind would hardly help: {change}; {chance}.',
        'perhaps': f'More samples may help: {change}, but {chance}, so these are too few.',
    }[gain.more_helps]
    return f'{verdict} {_of_which_class(curve, analysis.names, gain.more_helps)}'.strip()


def _of_which_class(curve: LearningCurve, names: tuple[str, ...], overall: Verdict) -> str:
    gains = [(name, gain) for number, name in enumerate(names) if (gain := curve.gain(number))]
    gaining = [
        f'{quoted(name)} ({points(gain.difference)})'
        for name, gain in sorted(gains, key=lambda each: -each[1].difference)
        if gain.more_helps == 'yes'
    ]
    if gaining:
        return f'Add samples of {listed(gaining, _CLASSES_NAMED)} first.'
    name, weakest = min(gains, key=lambda each: each[1].after)
    if overall == 'no' or weakest.after >= 1.0:
        return ''
    return (
        f'No class stands out; {quoted(name)} is recognized least often '
        f'({percent(weakest.after)}), so begin with it.'
    )


def _headline(analysis: Analysis) -> tuple[Mood, str]:
    if not analysis.evaluated:
        return 'unmeasured', 'Not yet: every class has one sample, so nothing can be measured.'
    gain = analysis.learning.gain() if analysis.learning else None
    if gain is None:
        return 'more', 'Not yet: there are too few samples to evaluate the model.'
    good, suspects = analysis.accuracy >= _GOOD, len(analysis.mislabels)
    if suspects:
        so_far = 'Nearly' if good else 'Not yet'
        samples = counted(suspects, 'sample', 'samples')
        return 'wrong', f'{so_far}: first look at {samples} that may be mislabelled.'
    if gain.more_helps == 'yes':
        return 'more', 'Not yet: more samples still help.'
    if good and analysis.held_out.unit != 'recordings':
        return 'more', 'Not known yet: teach every class on another day, too.'
    if gain.more_helps == 'perhaps':
        if good:
            return 'more', 'Perhaps: it looks good, but there are too few samples to be sure.'
        return 'more', 'Not yet: more samples may help, and something else may be wrong.'
    if good:
        return 'good', 'Yes: for views like those taught, this is enough.'
    return 'wrong', 'More of the same samples will not help: something else is wrong.'


def _measured(analysis: Analysis) -> str:
    samples = counted(analysis.evaluated, 'sample', 'samples')
    measured = (
        f'{percent(analysis.accuracy)} of {samples} were recognized by a model that had not seen '
        'them'
    )
    if analysis.held_out.unit != 'recordings':
        # Omit the confidence interval: the accuracy on other recordings, which was not measured,
        # could be outside of it.
        return f'{measured}.'
    low, high = wilson_interval(int(analysis.held_out.right.sum()), analysis.evaluated)
    return (
        f'{measured} (with so many samples the true share is between {percent(low)} and '
        f'{percent(high)}).'
    )


def what_was_held_out(analysis: Analysis) -> str:
    """Return a sentence on the units in which samples were held out."""
    units = analysis.held_out.units
    held_out = [
        f'{name} of {counted(units.count(unit), "class", "classes")}'
        for unit, name in _UNITS.items()
        if unit in units
    ]
    return f'Held out as a whole: {listed(held_out)}.'


def _unknown(analysis: Analysis) -> str:
    if math.isnan(analysis.objects_noticed):
        return ''
    return (
        f'Of things that were never taught, about {percent(analysis.objects_noticed)} would be '
        'classified as unknown, in views like these (each class was left out in turn).'
    )


def once_taught(analysis: Analysis) -> str:
    """Return a sentence on the classes without a held-out recording; '' if there are none."""
    units = zip(analysis.names, analysis.held_out.units, strict=True)
    once = [quoted(name) for name, unit in units if unit != 'recordings']
    if not once:
        return ''
    which = listed(once) if len(once) < len(analysis.names) else 'All classes'
    were = 'was' if len(once) == 1 else 'were'
    return f'{which} {were} {TAUGHT_IN_ONE_GO}.'
