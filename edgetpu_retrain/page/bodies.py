# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads the JSON bodies of requests, which are untrusted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
import json
from typing import Any

from aiohttp import web
from edgetpu_retrain.page.refused import RefusedError

MAX_BODY_BYTES = 1024 * 1024
"""Maximum size of a JSON body, bytes; the ids of 50,000 samples fit."""

BODY_TIME_S = 10.0
"""Maximum time for a JSON body to arrive, seconds."""


async def read_object(request: web.Request) -> dict[str, Any]:
    """
    Return the JSON object in the body of a request; an empty body is an empty object.

    Raises:
        RefusedError: if the body is too large, arrives too slowly, or is no JSON object.
    """
    try:
        content = await asyncio.wait_for(request.read(), BODY_TIME_S)
    except asyncio.TimeoutError as error:
        raise RefusedError(
            408, f'the request did not arrive within {BODY_TIME_S:.0f} s: send it again'
        ) from error
    return parse_object(content) if content else {}


def parse_object(content: str | bytes) -> dict[str, Any]:
    """
    Return a JSON object.

    Raises:
        RefusedError: if the content is no JSON object.
    """
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, 'the request is no JSON: send a JSON object in UTF-8') from error
    if not isinstance(value, dict):
        raise RefusedError(400, 'the request is no JSON object: send {...}')
    return value


def text(fields: dict[str, Any], name: str, default: str | None = None) -> str:
    """
    Return a text field of a request.

    Raises:
        RefusedError: if it is missing and has no default, or is no text.
    """
    value = fields.get(name, default)
    # Half of a surrogate pair is valid in JSON, but not in UTF-8.
    if not isinstance(value, str) or not _is_utf8(value):
        raise RefusedError(400, f'the field {name} must be a text')
    return value


def number(
    fields: dict[str, Any], name: str, default: int | None = None, highest: int = 2**63 - 1
) -> int:
    """
    Return a field of a request that is a whole number, -1 or more.

    Raises:
        RefusedError: if it is missing and has no default, or is no such number.
    """
    value = fields.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not -1 <= value <= highest:
        raise RefusedError(400, f'the field {name} must be a whole number, -1 to {highest}')
    return value


def ids(fields: dict[str, Any], name: str = 'ids') -> list[int]:
    """
    Return a field of a request that is a list of ids; [] if it is missing.

    Raises:
        RefusedError: if it is no list of positive whole numbers.
    """
    values = fields.get(name, [])
    if not isinstance(values, list) or not _are_ids(values):
        raise RefusedError(400, f'the field {name} must be a list of ids, which are whole numbers')
    return values


def _are_ids(values: Sequence[object]) -> bool:
    return all(type(each) is int and 0 < each < 2**63 for each in values)


def _is_utf8(value: str) -> bool:
    return value.isascii() or not any('\ud800' <= each <= '\udfff' for each in value)
