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
"""Class names: what a label may look like, decided in one place."""

from __future__ import annotations

import unicodedata

from edgetpu_retrain.errors import RequestError

MAX_LABEL_LENGTH = 100

# What the node answers where no class is likely enough; a class of that name, in any case of
# its letters, could not be told from it.
UNKNOWN = 'unknown'

# Cc: control characters (a line break would split labels.txt).  Zl, Zp: the line and paragraph
# separators that str.splitlines() also splits at.  Cs: lone surrogates, which UTF-8 cannot hold.
# Unicode Standard, section 4.5 'General Category'.
_FORBIDDEN_CATEGORIES = frozenset({'Cc', 'Zl', 'Zp', 'Cs'})


def check_label(label: str, *, taught_before: bool = False) -> str:
    r"""
    Return a label as it is, or refuse it.

    A label becomes a line of a model's labels.txt, a ``class_id`` on a topic and, with other
    tools, a folder name; what one of them could not carry is refused here.

    Args:
        label: the class name, 1 to 100 characters, without '/', '\\', control characters or
            space at either end, and none of '.', '..' and 'unknown'.
        taught_before: whether it names a class that may be in the store already, from a release
            that did not reserve 'unknown' yet; then that is a label like any other.

    Returns:
        The same label.

    Raises:
        RequestError: when the label breaks one of these rules; the message names it.

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
        if character in '/\\' or unicodedata.category(character) in _FORBIDDEN_CATEGORIES:
            raise RequestError(
                f'The label {label!a} contains {character!a}: use a name without '
                'slashes, backslashes, line breaks and control characters.'
            )
    if label in ('.', '..'):
        raise RequestError(
            f'The label {label!r} is the name of a folder, not of a class: use another name.'
        )
    if label != label.strip():
        raise RequestError(
            f'The label {label!r} begins or ends with a space: use {label.strip()!r} instead.'
            if label.strip()
            else f'The label {label!r} is only space: give the class a name.'
        )
    if label.casefold() == UNKNOWN and not taught_before:
        raise RequestError(
            f'The label {label!r} is reserved: it is the answer for what is none of the classes. '
            'Use another name.'
        )
    return label
