# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Formatting of messages for users and logs."""

from __future__ import annotations

from collections.abc import Sequence

LONGEST_QUOTE = 60
"""Untrusted text in a message is truncated to this many characters, enough to recognize it."""

LONGEST_MESSAGE = 2000
"""Messages in logs and responses are truncated to this many characters, about a screen of text."""

NAMED_AT_MOST = 10
"""Maximum number of names in a message."""

TIME_IS_UP = 'Time is up'
"""The first words of the message about a request with too few frames until its time limit."""

JOINERS = '\u200c\u200d'
"""Zero-width non-joiner and joiner, which Persian and many emoji need."""


def sentence(text: object) -> str:
    """
    Return a text as a sentence: a full stop is added unless it ends in '.', '!' or '?'.

    The first letter is not capitalized, because it may be part of a name.

    >>> sentence(ValueError('num_iter is 0; it must be 1 or more'))
    'num_iter is 0; it must be 1 or more.'
    """
    words = str(text).strip()
    return words if words.endswith(('.', '!', '?')) else f'{words}.'


def counted(count: int, one: str, many: str) -> str:
    """
    Return a number with its noun.

    >>> counted(1, 'class', 'classes'), counted(3, 'class', 'classes')
    ('1 class', '3 classes')
    """
    return f'{count} {one if count == 1 else many}'


def quoted(text: object, longest: int = LONGEST_QUOTE) -> str:
    r"""
    Quote untrusted text for a message: in ASCII, escaped and truncated.

    Args:
        text: the untrusted text.
        longest: maximum number of characters to quote.

    >>> quoted('cup'), quoted('two\nlines')
    ("'cup'", "'two\\nlines'")
    >>> quoted('ab' * 5000)
    "'abababababababababababababababababababababababababababababab'... (10000 characters)"
    """
    words = str(text)
    if len(words) <= longest:
        return ascii(words)
    return f'{words[:longest]!a}... ({len(words)} characters)'


def named(names: Sequence[str]) -> str:
    """
    Return the first ten names and the number of the others, as text.

    Args:
        names: the formatted names.

    >>> named([str(number) for number in range(12)])
    '0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more'
    """
    more = f' and {len(names) - NAMED_AT_MOST} more' if len(names) > NAMED_AT_MOST else ''
    return ', '.join(names[:NAMED_AT_MOST]) + more


def one_line(text: object) -> str:
    r"""
    Return a text as one line; unprintable characters, except :data:`JOINERS`, are escaped.

    >>> one_line('one\ntwo \x1b[31m')
    'one\\ntwo \\x1b[31m'
    """
    words = str(text)
    if words.isprintable():
        return words
    return ''.join(
        each if each.isprintable() or each in JOINERS else ascii(each)[1:-1] for each in words
    )


def presentable(text: object) -> str:
    """Return a message for a log, a terminal or a response: one printable line, truncated."""
    words = str(text)
    line = one_line(words[: LONGEST_MESSAGE + 1])
    if len(line) > LONGEST_MESSAGE:
        line = f'{line[:LONGEST_MESSAGE]}... ({len(words)} characters)'
    return line
