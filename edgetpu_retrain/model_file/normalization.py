# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Normalization: how pixels are converted to the range that a float model was trained with."""

from __future__ import annotations

from dataclasses import dataclass
import math
import re

from edgetpu_retrain.errors import RequestError

HOW_TO_STATE = (
    'it is one of 0..255, 0..1, -1..1 or MEAN/STD of the pixels, such as 127.5/127.5 or '
    '123.7,116.3,103.5/58.4,57.1,57.4'
)

_NUMBER = r'[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?'
_RANGE = re.compile(rf'\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*')
_NUMBERS = re.compile(rf'{_NUMBER}(?:[\s,;/]+{_NUMBER})*')
_WORDS = re.compile(r'\b(?:mean|std|standard deviation|and)\b|[=:\[\]()]')
_LARGEST = 1e6
_CHANNELS = 3


@dataclass(frozen=True)
class Normalization:
    """
    The normalization of a float32 input, ``(pixel - mean) / std``, for pixels from 0 to 255.

    Args:
        mean: one number for all channels, or one each for red, green and blue.
        std: likewise; each number is at least 1e-6.

    Raises:
        ValueError: if the numbers are not valid.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        for name, values in (('mean', self.mean), ('standard deviation', self.std)):
            if len(values) not in (1, _CHANNELS):
                raise ValueError(f'the {name} has {len(values)} numbers; 1 or 3 are needed')
            if not all(math.isfinite(value) and abs(value) <= _LARGEST for value in values):
                raise ValueError(f'the {name} is {_listed(values)}, which is no pixel value')
        if not all(value >= 1 / _LARGEST for value in self.std):
            raise ValueError(f'the standard deviation is {_listed(self.std)}; it must be above 0')

    @classmethod
    def between(cls, low: float, high: float) -> Normalization:
        """Return the normalization that maps pixels from 0..255 to ``low``..``high``."""
        std = 255.0 / (high - low)
        return cls((0.0 - low * std,), (std,))

    def __str__(self) -> str:
        for low, high in ((0, 255), (0, 1), (-1, 1)):
            if self == Normalization.between(low, high):
                return f'{low}..{high}'
        return f'{_listed(self.mean)}/{_listed(self.std)}'


MINUS_1_TO_1 = Normalization.between(-1, 1)
"""The normalization that earlier releases used for every float model."""


def read_input_range(text: str) -> Normalization | None:
    """
    Return the normalization that a user states; None for a blank text.

    Args:
        text: a range such as '0..1', or mean and standard deviation such as '127.5/127.5'.

    Raises:
        RequestError: if the text is not valid, or if its numbers are for pixels from 0 to 1.
    """
    if not text.strip():
        return None
    ends = _RANGE.fullmatch(text)
    numbers = _WORDS.sub(' ', text.lower()).strip(' ,;/')
    try:
        if ends:
            low, high = float(ends[1]), float(ends[2])
            if low < high:
                return Normalization.between(low, high)
        elif _NUMBERS.fullmatch(numbers):
            values = tuple(map(float, re.split(r'[\s,;/]+', numbers)))
            half = len(values) // 2
            if 2 * half == len(values):
                if is_of_fractions(values[half:]):
                    raise RequestError(
                        f'the input range {text!r} is for pixels from 0 to 1: multiply its '
                        'numbers by 255'
                    )
                return Normalization(values[:half], values[half:])
    except ValueError as error:
        raise RequestError(f'the input range {text!r} is not valid: {error}') from error
    raise RequestError(f'the input range {text!r} is not valid: {HOW_TO_STATE}')


def is_of_fractions(std: tuple[float, ...]) -> bool:
    """Return whether all values are below 1, that is, for pixels from 0 to 1 as in PyTorch."""
    return all(0 < value < 1 for value in std)


def _listed(values: tuple[float, ...]) -> str:
    return ','.join(f'{value:g}' for value in values)
