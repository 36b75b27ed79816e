# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Validation of labels (class names)."""

from __future__ import annotations

import unicodedata

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.wording import JOINERS, quoted

MAX_LABEL_LENGTH = 100
"""Maximum length in characters; a longer label would not fit in a line of a table."""

MAX_LABEL_BYTES = 255
"""Maximum length in UTF-8, bytes: Linux limits the name of a folder to this (NAME_MAX)."""

# The classification of frames that match no class, or the background.  Labels that read as this
# word are reserved, because users could not distinguish a class with such a label from this
# classification.
UNKNOWN = 'unknown'

BACKGROUND = 'background'
"""The default name of the class that counts as unknown: views without any object."""

# Categories of characters that move the cursor, break a line, or cannot be encoded in UTF-8:
# Unicode Standard, section 4.5 'General Category'.
_NOT_SHOWN = frozenset({'Cc', 'Cs', 'Zl', 'Zp'})
# Format characters: most are invisible, and some change the direction of the following text.
_FORMAT = 'Cf'
# Noncharacters that XML does not allow; the figures of the report are SVG, which is XML:
# https://www.w3.org/TR/xml/#charsets
_NO_XML = '\ufffe\uffff'
# Characters that are drawn as blanks: the fillers of Hangul syllables, the empty Braille pattern.
_BLANKS = frozenset('\u115f\u1160\u2800\u3164\uffa0')
# Categories of characters that show nothing on their own: nonspacing and enclosing marks, which
# need a base character, and format characters.
_INVISIBLE_ALONE = frozenset({'Mn', 'Me', 'Cf'})
_JOINERS_LEFT_OUT = dict.fromkeys(map(ord, JOINERS))


def check_label(label: str, *, taught_before: bool = False) -> str:
    r"""
    Return a valid label unchanged, or raise RequestError.

    A label becomes a line of a model's labels.txt, a ``class_id`` on a topic and, in other tools,
    a folder name; it must be valid for all of them.

    Args:
        label: the class name.  It must have 1 to 100 characters, at least one of them visible, and
            at most 255 bytes in UTF-8.  It must not contain '/', '\\', line breaks, control
            characters, the noncharacters U+FFFE and U+FFFF, or format characters (except
            zero-width joiners).  It must not begin or end with a space, and must not be '.', '..'
            or a text that reads as 'unknown'.
        taught_before: whether to also accept what older releases accepted: labels that read as
            'unknown', have more than 255 bytes, have no visible character, or contain format
            characters or the two noncharacters.

    Returns:
        The label, unchanged.

    Raises:
        RequestError: if the label breaks one of these rules; the message names the rule.

    >>> check_label('coffee mug')
    'coffee mug'
    """
    if not label:
        raise RequestError(
            'The label is empty: give the class a name of 1 to '
            f'{MAX_LABEL_LENGTH} characters, such as "mug".'
        )
    if len(label) > MAX_LABEL_LENGTH:
        raise RequestError(
            f'The label {label[:20]!a}... has {len(label)} characters: '
            f'use at most {MAX_LABEL_LENGTH}.'
        )
    for character in label:
        if not _is_allowed(character, taught_before=taught_before):
            raise RequestError(
                f'The label {label!a} contains {character!a}: use a name without '
                'slashes, backslashes, line breaks, control characters and invisible ones.'
            )
    if len(label.encode()) > MAX_LABEL_BYTES and not taught_before:
        raise RequestError(
            f'The label {quoted(label)} has {len(label.encode())} bytes in UTF-8: use at most '
            f'{MAX_LABEL_BYTES}, which is what a folder can be called.'
        )
    if label in ('.', '..'):
        raise RequestError(
            f'The label {label!a} is the name of a folder, not of a class: use another name.'
        )
    seen = label.translate(_JOINERS_LEFT_OUT)
    visible = _visible(label)
    if seen != seen.strip() or not seen or not (visible or taught_before):
        raise RequestError(
            f'The label {label!a} begins or ends with a space: use {label.strip()!a} instead.'
            if visible
            else f'The label {label!a} is only space: give the class a name.'
        )
    if is_reserved(label) and not taught_before:
        raise RequestError(
            f'The label {label!a} is reserved: it is the classification of what matches no class. '
            f'For what is seen without any object, such as an empty table, use {BACKGROUND!r}.'
        )
    return label


def is_reserved(label: str) -> bool:
    """Return whether a label reads as 'unknown', ignoring case, font and invisible characters."""
    return _visible(label) == UNKNOWN


def _visible(label: str) -> str:
    """Return the visible characters of a label in one case, width and font, for comparisons."""
    folded = unicodedata.normalize('NFKC', label).casefold()
    return ''.join(
        each
        for each in folded
        if each not in _BLANKS and unicodedata.category(each) not in _INVISIBLE_ALONE
    ).strip()


def _is_allowed(character: str, *, taught_before: bool) -> bool:
    if character in _NO_XML or unicodedata.category(character) == _FORMAT:
        return taught_before or character in JOINERS
    return character not in '/\\' and unicodedata.category(character) not in _NOT_SHOWN
