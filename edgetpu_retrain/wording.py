# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""Small pieces of the sentences that people read."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
import unicodedata

LONGEST_QUOTE = 60
"""Characters of somebody's text that a sentence repeats: enough to recognize it."""

LONGEST_MESSAGE = 2000
"""Characters of a sentence in a log or an answer: a screen of text."""

NAMED_AT_MOST = 10
"""Names that a sentence lists."""

# What moves a cursor, breaks a line, turns the direction of what follows, cannot be seen or cannot
# be written in UTF-8: Unicode Standard, section 4.5 'General Category'.
_NOT_SHOWN = frozenset({'Cc', 'Cf', 'Cs', 'Zl', 'Zp'})
JOINERS = '\u200c\u200d'
"""They join letters and pictures, and belong to the spelling of Persian and of many emoji."""


def sentence(text: object) -> str:
    """
    Return a message with an end; it may begin with a name, so its beginning is left alone.

    >>> sentence(ValueError('num_iter is 0; it must be 1 or more'))
    'num_iter is 0; it must be 1 or more.'
    """
    words = str(text).strip()
    return words if words.endswith(('.', '!', '?')) else f'{words}.'


def counted(count: int, one: str, many: str) -> str:
    """
    Return a number with what it counts.

    >>> counted(1, 'class', 'classes'), counted(3, 'class', 'classes')
    ('1 class', '3 classes')
    """
    return f'{count} {one if count == 1 else many}'


def is_shown(character: str) -> bool:
    """Tell whether a character is text: nothing invisible, no command to a terminal or a page."""
    return character in JOINERS or unicodedata.category(character) not in _NOT_SHOWN


def quoted(text: object, longest: int = LONGEST_QUOTE) -> str:
    r"""
    Return somebody else's text for a sentence: in ASCII, escaped, and no longer than a line.

    Args:
        text: what somebody sent.
        longest: so many characters of it are repeated.

    >>> quoted('cup'), quoted('two\nlines')
    ("'cup'", "'two\\nlines'")
    >>> quoted('ab' * 5000)
    "'abababababababababababababababababababababababababababababab'... (10000 characters)"
    """
    words = str(text)
    if len(words) <= longest:
        return ascii(words)
    return f'{words[:longest]!a}... ({len(words)} characters)'


def named(names: Iterable[str], total: int) -> str:
    """
    Return the first of many names, and how many there are besides.

    Args:
        names: as they are to be written.
        total: how many there are.

    >>> named(map(str, range(12)), 12)
    '0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more'
    """
    more = f' and {total - NAMED_AT_MOST} more' if total > NAMED_AT_MOST else ''
    return ', '.join(islice(names, NAMED_AT_MOST)) + more


def presentable(text: object) -> str:
    r"""
    Return a message that a log, a terminal or an answer can take, whatever went into it.

    What is not printable is escaped, line breaks too, and what is too long is cut.

    >>> presentable('one\ntwo \x1b[31m')
    'one\\ntwo \\x1b[31m'
    """
    words = str(text)
    line = words[: LONGEST_MESSAGE + 1]
    if not line.isprintable():
        line = ''.join(each if each.isprintable() else ascii(each)[1:-1] for each in line)
    if len(line) > LONGEST_MESSAGE:
        line = f'{line[:LONGEST_MESSAGE]}... ({len(words)} characters)'
    return line
