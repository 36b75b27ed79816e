# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Reads the fields of untrusted requests, and checks their names, types and ranges.

Example::

    fields = await body_of(request, ids=ids(MAX_IDS), label=text(default=''))
    query = query_of(request, limit=whole(0, 1000, default=100))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import re
from typing import Any

from aiohttp import web
from edgetpu_retrain.page.bodies import read_object
from edgetpu_retrain.page.refused import RefusedError
from edgetpu_retrain.wording import named, quoted

MAX_TEXT = 1000
"""Maximum length of a text, in characters; the node has stricter rules for labels."""

LARGEST_ID = 2**63 - 1

_WHOLE = re.compile(r'-?[0-9]{1,19}', re.ASCII)


@dataclass(frozen=True)
class Field:
    """
    The valid values of a field of a request.

    Args:
        words: the valid values in words, which complete the message 'it must be'.
        is_valid: returns whether a value is valid.
        is_number: whether the value in a query string is converted to an int.
        default: the value if the field is missing; None = the field is required.
    """

    words: str
    is_valid: Callable[[Any], bool]
    is_number: bool = False
    default: Any = None


def whole(least: int, most: int, *, default: int | None = None) -> Field:
    """Return a field for an integer from ``least`` to ``most``."""
    return Field(
        f'a whole number from {least} to {most}',
        # isinstance would accept True as an int.
        lambda value: type(value) is int and least <= value <= most,
        is_number=True,
        default=default,
    )


def text(*, default: str | None = None) -> Field:
    """Return a field for a string of at most :data:`MAX_TEXT` characters."""
    return Field(f'a text of at most {MAX_TEXT} characters', _is_text, default=default)


def ids(most: int, *, default: list[int] | None = None) -> Field:
    """Return a field for a list of 1 to ``most`` ids of samples or questions."""
    return Field(
        f'a list of 1 to {most} whole numbers from 1',
        lambda value: (
            isinstance(value, list)
            and 1 <= len(value) <= most
            and all(type(each) is int and 1 <= each <= LARGEST_ID for each in value)
        ),
        default=default,
    )


async def body_of(request: web.Request, **fields: Field) -> dict[str, Any]:
    """
    Return the fields of the JSON object in the body of a request.

    Args:
        request: the request.
        fields: the fields that the request may have, by name.

    Raises:
        RefusedError: if :func:`read_object` rejects the body, or a field is missing, invalid or
            unknown.
    """
    return _checked(await read_object(request), fields)


def query_of(request: web.Request, **fields: Field) -> dict[str, Any]:
    """
    Return the fields of the query string of a request; see :func:`body_of`.

    Raises:
        RefusedError: if a field is missing, invalid, unknown or given twice.
    """
    values: dict[str, Any] = {}
    for name, value in request.query.items():
        if name in values:
            raise RefusedError(400, f'the field {quoted(name)} is given twice: give it once')
        is_number = name in fields and fields[name].is_number and _WHOLE.fullmatch(value)
        values[name] = int(value) if is_number else value
    return _checked(values, fields)


def _checked(values: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    unknown = [quoted(name) for name in values if name not in fields]
    if unknown:
        known = f'the fields are {", ".join(fields)}' if fields else 'there are no fields'
        raise RefusedError(400, f'there is no field {named(unknown)}: {known}')
    checked = {}
    for name, field in fields.items():
        value = values.get(name, field.default)
        if value is None and name not in values:
            raise RefusedError(400, f'the field {name} is missing: it must be {field.words}')
        if name in values and not field.is_valid(value):
            raise RefusedError(400, f'{name} is {quoted(value)}; it must be {field.words}')
        checked[name] = value
    return checked


def _is_text(value: Any) -> bool:
    # Half of a surrogate pair is valid in JSON, but cannot be encoded as UTF-8.
    return (
        isinstance(value, str)
        and len(value) <= MAX_TEXT
        and not any('\ud800' <= each <= '\udfff' for each in value)
    )
