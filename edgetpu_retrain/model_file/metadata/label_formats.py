# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Reads class names in the forms of tools and model hubs: lines, CSV, JSON, YAML and label maps.

The form is recognized by the content, because a file named ``labels.txt`` may have any form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import csv
import json
import re
from typing import Any

# Maximum number of missing output numbers.  In real files, some are missing (Coral's COCO labels
# have 80 names for numbers up to 89), but a short file must not expand to a million names.
_MOST_LEFT_OUT = 10_000
MAX_YAML_LENGTH = 256 * 1024
"""Maximum length of YAML, in characters; 10,000 names take 200,000, and a second to parse."""

_NUMBERED = re.compile(r'(\d{1,9})\s*[,;:\s]\s*(.*\S)', re.ASCII)
_NUMBER = re.compile(r'\d{1,9}', re.ASCII)
_CONTAINER = re.compile(r'\{|\[\s*["\'{]')
_WEB_PAGE = re.compile(r'\s*<(?:!doctype|html|\?xml)\b', re.IGNORECASE)
# An item in a label map of TensorFlow's Object Detection API:
# item { id: 1 name: '/m/01g317' display_name: 'person' }
_MAP_ITEM = re.compile(r'\bitem\s*:?\s*[{<]')
_MAP_FIELD = re.compile(
    r'\b(id|name|display_name)\s*:\s*(?:"((?:[^"\\\n]|\\.)*)"|\'((?:[^\'\\\n]|\\.)*)\'|(\d+))'
)
_ESCAPE = re.compile(rb'\\(?:([0-7]{1,3})|(.))', re.DOTALL)
# Keys of the names in YOLO's data.yaml, Hugging Face's config.json, COCO and similar files.
_KEYS = (
    'names', 'id2label', 'label_names', 'class_names', 'classes', 'labels', 'label_map',
    'categories',
)  # fmt: skip
_YAML = re.compile(rf'^(?:{"|".join(_KEYS)})[ \t]*:', re.MULTILINE)
# Titles of table columns, reduced to letters and digits in lower case.  If several columns contain
# names, the one whose title comes first in _NAME_COLUMNS is used.
_NAME_COLUMNS = (
    'displayname', 'classname', 'labelname', 'categoryname', 'name', 'label', 'class', 'category',
    'names', 'labels', 'classes', 'title', 'text',
)  # fmt: skip
_NUMBER_COLUMNS = (
    'index', 'idx', 'id', 'number', 'no', 'nr', 'classid', 'labelid', 'categoryid', 'classindex',
    'classnumber', 'target',
)  # fmt: skip
_DELIMITERS = ',;\t'


class UnfitNames(ValueError):  # noqa: N818 - a fact about a file, in words
    """A text has a known form, but no names that fit the model; the message names the form."""


def read_names(text: str, classes: int) -> list[str]:
    """
    Return the class names in a text, in output order; empty if there are none.

    Args:
        text: the content of a label file.
        classes: number of classes of the model.

    Raises:
        UnfitNames: if the text is a web page or XML, or if it is JSON, YAML or a label map but
            cannot be parsed or has no names that fit the model.
    """
    begin = text.lstrip()
    if _WEB_PAGE.match(begin):
        raise UnfitNames('a web page or XML')
    if _MAP_ITEM.match(_without_comments(begin)):
        return _fitting(_from_label_map(begin, classes), 'a label map (pbtxt)', classes)
    if begin.startswith(('{', '[')):
        form, value = _literal(begin)
        if value is not None or _CONTAINER.match(begin):
            return _fitting(_from_value(value, classes), form, classes)
    elif _looks_like_yaml(begin):
        if len(begin) > MAX_YAML_LENGTH:
            raise UnfitNames(f'YAML of {len(begin)} characters; {MAX_YAML_LENGTH} can be read')
        return _fitting(_from_value(_yaml(begin), classes), 'YAML', classes)
    return _from_lines(text, classes)


def _fitting(names: list[str] | None, form: str, classes: int) -> list[str]:
    if names is None:
        raise UnfitNames(
            f'{form}, but neither a list of names nor a map of the numbers 0 to {classes - 1} and '
            'names'
        )
    return names


def _without_comments(text: str) -> str:
    lines = text[:4096].splitlines()
    return '\n'.join(line for line in lines if not line.lstrip().startswith('#')).lstrip()


def _literal(text: str) -> tuple[str, Any]:
    """Return the form and the value of a list or a map; the value is None if parsing fails."""
    try:
        return 'JSON', json.loads(text)
    except (ValueError, RecursionError):
        # A Python literal, such as {0: 'cat'}, is also YAML.  If the text is not YAML either, it
        # may consist of lines with one name each, and the first name begins with a bracket.
        return 'JSON or YAML', _yaml(text)


def _looks_like_yaml(text: str) -> bool:
    if _YAML.search(text):
        return True
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    items = [line for line in lines if not line.startswith(('#', '---'))]
    return bool(items) and all(line.startswith('- ') for line in items)


def _yaml(text: str) -> Any:
    """Return the value of YAML, with scalars as strings; None if it is too long or not valid."""
    if len(text) > MAX_YAML_LENGTH:
        return None
    try:
        import yaml
    except ImportError as error:
        raise UnfitNames(
            f'YAML, which needs PyYAML ({error}): install it with python3 -m pip install PyYAML'
        ) from error
    try:
        # YAML aliases refer to the same object, so they do not expand to a huge value.
        return yaml.BaseLoader(text).get_single_data()
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _from_label_map(text: str, classes: int) -> list[str] | None:
    by_number = {}
    for item in _MAP_ITEM.split(text)[1:]:
        fields: dict[str, str] = {}
        for name, *values in _MAP_FIELD.findall(item):
            # Keep the first value, because fields of nested messages come later.
            fields.setdefault(name, _unescaped(''.join(values)))
        name = fields.get('display_name') or fields.get('name', '')
        if not name or not _NUMBER.fullmatch(fields.get('id', '')):
            return None
        by_number[int(fields['id'])] = name
    return _in_order(by_number, classes) or None


def _unescaped(text: str) -> str:
    """Decode a string of protobuf's text format, which escapes the bytes of UTF-8."""

    def byte(match: re.Match[bytes]) -> bytes:
        return bytes([int(match[1], 8) & 0xFF]) if match[1] else match[2]

    return _ESCAPE.sub(byte, text.encode()).decode(errors='replace')


def _from_value(value: Any, classes: int) -> list[str] | None:
    """Return the names in a list, or in a map between numbers and names; None for other values."""
    if isinstance(value, dict):
        found = (value[key] for key in _KEYS if isinstance(value.get(key), (dict, list)))
        value = next(found, value)
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        # COCO has a list of categories, each with an id and a name.
        keys = [key for key in ('display_name', 'name', 'label') if key in value[0]]
        if not keys or 'id' not in value[0]:
            return None
        if any(isinstance(each.get('id'), (dict, list)) for each in value):
            return None
        value = {each.get('id'): each.get(keys[0]) for each in value}
    if isinstance(value, dict):
        # Keras writes {"cat": 0}, and most others {"0": "cat"}.
        pairs = list(value.items())
        if not all(_is_number(number) for number, _ in pairs):
            pairs = [(number, name) for name, number in pairs]
        if not all(_is_number(number) for number, _ in pairs):
            return None
        value = _in_order({int(number): name for number, name in pairs}, classes) or None
    if not isinstance(value, list):
        return None
    # In Keras's imagenet_class_index.json, each entry is a list of an identifier and a name.
    names = [each[-1] if isinstance(each, list) and each else each for each in value]
    if not all(isinstance(each, str) and each.strip() for each in names):
        return None
    return [' '.join(each.split()) for each in names]


def _is_number(value: Any) -> bool:
    return type(value) in (int, str) and _NUMBER.fullmatch(str(value)) is not None


def _from_lines(text: str, classes: int) -> list[str]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return []
    head, body = lines[0], lines[1:]
    if _is_header(head, len(body) == classes) and (
        len(lines) != classes or _numbered(body, classes)
    ):
        return _from_table(head, body, classes) or body
    if names := _numbered(lines, classes):
        return names
    if len(body) == classes and (names := _numbered(body, classes)):
        # The first line must be a header, for example in another language.
        return names
    if '"' in text:
        return _from_table('', lines, classes) or [_unquoted(line) for line in lines]
    return lines


def _numbered(lines: Sequence[str], classes: int) -> list[str]:
    """Return the names in numbered lines; empty unless each line has its own output number."""
    matches = [_NUMBERED.fullmatch(line) for line in lines]
    by_number = {int(match[1]): _unquoted(match[2]) for match in matches if match is not None}
    return _in_order(by_number, classes) if len(by_number) == len(lines) else []


def _unquoted(name: str) -> str:
    quote = name[:1]
    inner = name[1:-1].replace(2 * quote, quote).strip()
    return inner if quote in ('"', "'") and name[-1] == quote and inner else name


def _words(line: str) -> list[str]:
    """Return the cells of a first line, reduced to letters and digits in lower case."""
    delimiter = next((each for each in _DELIMITERS if each in line), None)
    return [re.sub(r'[\W_]', '', word.lower()) for word in line.split(delimiter)]


def _is_header(line: str, fits: bool) -> bool:
    """
    Return whether the first line of a file contains column titles.

    Args:
        line: the first line.
        fits: whether the number of other lines is the number of classes.
    """
    words = _words(line)
    names = any(word in _NAME_COLUMNS for word in words)
    numbers = any(word in _NUMBER_COLUMNS for word in words)
    return names and (numbers or fits or all(word in _NAME_COLUMNS for word in words))


def _from_table(head: str, body: Sequence[str], classes: int) -> list[str]:
    """
    Return the names in the rows of a table; empty if this is not a table.

    Args:
        head: the line with the titles of the columns; '' = none.
        body: the other lines.
        classes: number of classes of the model.
    """
    delimiter = next((each for each in _DELIMITERS if each in (head or body[0])), '')
    if head and not delimiter:
        return _numbered(body, classes) or [_unquoted(line) for line in body]
    try:
        rows = list(csv.reader(body, delimiter=delimiter or ',', skipinitialspace=True))
    except csv.Error:
        return []
    if len(rows) != len(body) or len({len(row) for row in rows}) != 1:
        return _numbered(body, classes)
    columns = [[cell.strip() for cell in column] for column in zip(*rows, strict=True)]
    numbers = next((each for each in columns if _are_numbers(each, classes)), None)
    others = [place for place, column in enumerate(columns) if column is not numbers]
    words = _words(head) if head else []
    ranks = {word: rank for rank, word in enumerate(_NAME_COLUMNS)}
    # Without a header, the first column that does not contain the numbers has the names.
    others.sort(key=lambda place: ranks.get(words[place], len(ranks)) if place < len(words) else 0)
    if not others or not all(names := columns[others[0]]):
        return []
    if numbers is not None:
        return _in_order(dict(zip(map(int, numbers), names, strict=True)), classes)
    return names if head or len(columns) == 1 else []


def _are_numbers(cells: Sequence[str], classes: int) -> bool:
    """Return whether the cells of a column are output numbers without duplicates."""
    if not all(_NUMBER.fullmatch(cell) for cell in cells):
        return False
    by_number = dict.fromkeys(map(int, cells), '')
    return len(by_number) == len(cells) and bool(_in_order(by_number, classes))


def _in_order(by_number: Mapping[int, Any], classes: int) -> list[Any]:
    """
    Return names in the order of their numbers, which count from 0 or from 1.

    A class whose number is missing is named by this number.  The result is empty if the numbers do
    not fit the model.
    """
    if not by_number:
        return []
    lowest, highest = min(by_number), max(by_number)
    first = 1 if lowest > 0 and highest == classes else 0
    # Numbers may be missing, but not too many.
    if lowest < 0 or highest - first >= min(classes, len(by_number) + _MOST_LEFT_OUT):
        return []
    return [by_number.get(each, str(each)) for each in range(first, highest + 1)]
