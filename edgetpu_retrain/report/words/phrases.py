# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Formatting of labels, shares and lists in the report."""

from __future__ import annotations

from collections.abc import Sequence
import math

# These characters in a label could change the direction of the surrounding text: Unicode Standard
# Annex 9, 'Explicit Directional Embeddings, Overrides and Isolates' and the implicit marks.
_DIRECTION_MARKS = dict.fromkeys(
    map(ord, '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069')
)


def shown(label: str, longest: int = 0) -> str:
    """
    Return a label for display, without characters that change the text direction.

    Args:
        label: class name.
        longest: maximum number of characters, including an ellipsis; 0 = no limit.

    >>> shown('a very long name', 10)
    'a very lo…'
    """
    text = label.translate(_DIRECTION_MARKS)
    if longest and len(text) > longest:
        end = longest - 1
        return f'{text[:end]}…'
    return text


def quoted(label: str) -> str:
    """Return a label in quotes, isolated from the text direction of the sentence."""
    return f'“\u2068{shown(label)}\u2069”'


def percent(share: float) -> str:
    """
    Return a share, 0 to 1 or NaN, in percent; only exact values become '100 %' and '0 %'.

    >>> percent(0.874), percent(0.998), percent(float('nan'))
    ('87 %', '99.8 %', 'not measured')
    """
    if math.isnan(share):
        return 'not measured'
    rounded = round(100 * share)
    if rounded in {0, 100} and share not in {0.0, 1.0}:
        # Truncate instead of rounding: one mistake in 10,000 must not appear as 100 %.
        tenths = min(max(math.floor(1000 * share), 1), 999)
        return f'{tenths / 10:.1f} %'
    return f'{rounded} %'


def points(difference: float) -> str:
    """Return the difference of two shares in percentage points, with a sign."""
    rounded = round(100 * difference, 1)
    return f'{rounded + 0.0:+.1f} points'


def listed(parts: Sequence[str], most: int = 5) -> str:
    """
    Return parts as a list with commas and 'and'.

    >>> listed(['a', 'b', 'c']), listed(['a', 'b', 'c', 'd'], most=2)
    ('a, b and c', 'a, b and 2 more')
    """
    named = list(parts[:most])
    if len(parts) > most:
        named.append(f'{len(parts) - most} more')
    if len(named) < 2:
        return ''.join(named)
    return f'{", ".join(named[:-1])} and {named[-1]}'
