# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Explains a comparison of two model versions in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
import math

from edgetpu_retrain.label import BACKGROUND
from edgetpu_retrain.report.words.phrases import listed, quoted
from edgetpu_retrain.store.models.model_version import ModelVersion
from edgetpu_retrain.wording import counted
import numpy as np
import numpy.typing as npt

OTHER_EXTRACTORS = (
    'They were trained with different extractors, so no stored sample can be classified by both.'
)
_NOTHING_NEW = (
    'Every sample was there when one of them was trained. To compare them, add samples on another '
    'day, and compare before you train with those.'
)
_DIFFERENT_EXAMS = (
    'So these are the figures that each training measured on the samples that it held out: the '
    'two may have held out different ones, from which a small difference may come.'
)
_UNITS = {
    'recordings': 'whole recordings, as on another day',
    'blocks': 'blocks of a recording, which are easier than another day',
    'frames': 'single frames, which are much easier than another day',
}

# A difference of more standard errors than this is not attributed to chance.  The learning curve
# of the report has the same limit.
_STANDARD_ERRORS = 2.0


def not_recorded(version: int) -> str:
    """Return why a version whose record does not name its newest sample cannot be compared."""
    return (
        f'Which samples version {version} was trained with is not known: its record is of an '
        'earlier release.'
    )


def own(one: ModelVersion, other: ModelVersion, reason: str) -> list[str]:
    """
    Return sentences that explain a comparison by the figures of each version's own training.

    Args:
        one: a version.
        other: the other version.
        reason: why the versions cannot be compared on new samples; '' = there are no new samples.
    """
    return [f'{reason or _NOTHING_NEW} {_DIFFERENT_EXAMS}', *map(_held_out, (one, other))]


def _held_out(found: ModelVersion) -> str:
    if found.record.validation_accuracy is None:
        return f'Version {found.version} has no figure: its samples were too few to hold any out.'
    unit = _UNITS.get(found.record.held_out_unit, 'samples of a kind that was not recorded')
    return f'Version {found.version} was checked on {unit}.'


def new(
    one: ModelVersion,
    other: ModelVersion,
    right: Sequence[npt.NDArray[np.bool_]],
    truths: Sequence[str],
    other_recordings: int,
) -> list[str]:
    """
    Return sentences that explain a comparison on samples that are new to both versions.

    Args:
        one: a version.
        other: the other version.
        right: for each of the two versions, whether it classifies each sample correctly, bool
            ``[N]``.
        truths: the label of each sample.
        other_recordings: number of these samples from recordings that are new to both versions.
    """
    return [
        _validity(len(truths), other_recordings),
        _verdict(one.version, other.version, *right),
        *_strangers((one, other), truths),
    ]


def _validity(count: int, other_recordings: int) -> str:
    checked = (
        f'Both were checked on {counted(count, "sample", "samples")} that neither was trained with'
    )
    if other_recordings == count:
        return f'{checked}, of recordings that are new to both, as on another day.'
    which = 'all of them are' if not other_recordings else f'{count - other_recordings} are'
    return (
        f'{checked}; {which} of recordings that one was trained with, which is easier than '
        'another day.'
    )


def _verdict(
    one: int, other: int, first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]
) -> str:
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    if not only_first and not only_second:
        return 'They are right and wrong on the same samples.'
    both = (
        f'Version {one} alone is right on {only_first} of them, version {other} alone on '
        f'{only_second}'
    )
    difference = only_first - only_second
    if abs(difference) <= _STANDARD_ERRORS * math.sqrt(only_first + only_second):
        return f'{both}: that may be chance. More new samples would tell.'
    return f'{both}: version {one if difference > 0 else other} is better on these.'


def _strangers(versions: Sequence[ModelVersion], truths: Sequence[str]) -> Iterator[str]:
    for each in versions:
        unknown = sorted({*truths} - {*each.record.labels, BACKGROUND})
        if unknown:
            yield (
                f'Version {each.version} was not taught {listed([*map(quoted, unknown)])}: there, '
                'only “unknown” counts as right.'
            )
