# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The labels.txt next to a model, with class names in Coral's format.

Each line has a name, in the order of the outputs, or an output number and a name, such as
``0 daisy``.  pycoral's classify_image.py reads the second form.  Some other forms that tools and
model hubs write are read, too.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
import json
from pathlib import Path
import re
from typing import Any

from edgetpu_retrain.errors import ModelFileError

# Enough for 100,000 names of maximum length.
_MAX_BYTES = 64 * 1024 * 1024
# Maximum number of skipped numbers.  Real files skip some (Coral's COCO labels have 80 names for
# numbers up to 89), but a short file must not expand to a million names.
_MOST_LEFT_OUT = 10_000
_NUMBERED = re.compile(r'(\d{1,9})\s*[,:\s]\s*(.*\S)', re.ASCII)
# The mark of UTF-32 begins with that of UTF-16, so it is compared first.
_MARKS = (
    (codecs.BOM_UTF8, 'utf-8-sig'),
    (codecs.BOM_UTF32_LE, 'utf-32'),
    (codecs.BOM_UTF32_BE, 'utf-32'),
    (codecs.BOM_UTF16_LE, 'utf-16'),
    (codecs.BOM_UTF16_BE, 'utf-16'),
)


def coral_label_file(labels: Sequence[str]) -> bytes:
    r"""
    Return class names as the content of a labels.txt in Coral's format.

    >>> coral_label_file(['daisy', 'red rose'])
    b'0 daisy\n1 red rose\n'
    """
    return ''.join(f'{index} {label}\n' for index, label in enumerate(labels)).encode()


def read_label_file(
    path: Path, classes: int, report: Callable[[str], object] = lambda _: None
) -> tuple[str, ...]:
    r"""
    Return the class names in a label file, in output order.

    The file is text in any encoding that a byte-order mark names, in UTF-8, or else in Latin-1.
    It has a name per line, or JSON: a list, or names by output number.  If every line begins with
    a number and the numbers fit the model, they are output numbers.  A class whose number is
    missing gets the number as its name.

    Args:
        path: the file.
        classes: number of classes of the model.
        report: called with a message if the encoding is a guess.

    Raises:
        ModelFileError: if the file cannot be read, is too large, or has no valid names.
    """
    try:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise ModelFileError(f'{path} has {size} bytes, which is no file of class names')
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f'the label file {path} cannot be read ({error.strerror or error}): check the path'
        ) from error
    lines = _decode(content, path, report)
    try:
        value = json.loads(lines) if lines.lstrip().startswith(('[', '{')) else None
    except (ValueError, RecursionError):
        # This is not JSON, but a name that begins with a bracket.
        value = None
    names = _from_lines(lines, classes) if value is None else _from_json(value, classes)
    if names is None:
        raise ModelFileError(
            f'{path} is JSON, but neither a list of names nor a map of the numbers 0 to '
            f'{classes - 1} and names: give one name per line'
        )
    if not names:
        raise ModelFileError(f'{path} holds no class names: one is needed in each line')
    return tuple(names)


def _decode(content: bytes, path: Path, report: Callable[[str], object]) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError as error:
                raise ModelFileError(
                    f'{path} begins as {encoding}, and is none ({error.reason}): save it as UTF-8'
                ) from error
    if b'\0' in content:
        raise ModelFileError(f'{path} is no text: give a file of class names in UTF-8')
    try:
        return content.decode()
    except UnicodeDecodeError:
        report(f'{path} is not UTF-8: it is read as Latin-1; save it as UTF-8 if names are wrong')
        return content.decode('latin-1')


def _from_lines(text: str, classes: int) -> list[str]:
    names = [line.strip() for line in text.splitlines() if line.strip()]
    numbered = [_NUMBERED.fullmatch(name) for name in names]
    by_number = {int(match[1]): match[2] for match in numbered if match is not None}
    if by_number and len(by_number) == len(names):
        return _in_order(by_number, classes) or names
    return names


def _from_json(value: Any, classes: int) -> list[str] | None:
    """Return the names in a list, or in a map between numbers and names; None if it is neither."""
    if isinstance(value, dict):
        # Hugging Face's config.json has the map in this entry.
        value = value.get('id2label', value)
    if isinstance(value, dict):
        # Keras writes {"cat": 0}, and most others {"0": "cat"}.
        inverse = all(type(each) is int for each in value.values())
        pairs = [(n, k) for k, n in value.items()] if inverse else value.items()
        try:
            value = _in_order({int(number): name for number, name in pairs}, classes)
        except ValueError:
            return None
    if not isinstance(value, list):
        return None
    # In Keras's imagenet_class_index.json, each entry is a list of an identifier and a name.
    names = [each[-1] if isinstance(each, list) and each else each for each in value]
    if not all(isinstance(each, str) and each.strip() for each in names):
        return None
    return [' '.join(each.split()) for each in names]


def _in_order(by_number: dict[int, Any], classes: int) -> list[Any]:
    """Return names in the order of their numbers; empty if the numbers do not fit the model."""
    if not by_number:
        return []
    lowest, highest = min(by_number), max(by_number)
    first = 1 if lowest > 0 and highest == classes else 0
    # Numbers may be missing, but not too many.
    if lowest < 0 or highest - first >= min(classes, len(by_number) + _MOST_LEFT_OUT):
        return []
    return [by_number.get(each, str(each)) for each in range(first, highest + 1)]
