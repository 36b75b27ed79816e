# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Parses the JSON objects of untrusted requests and WebSocket messages."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web
from edgetpu_retrain.page.refused import RefusedError

MAX_BODY_BYTES = 1024 * 1024
"""Maximum size of a JSON body, bytes; the ids of 50,000 samples fit."""

TOO_LARGE = f'the body is larger than {MAX_BODY_BYTES} bytes: send less at once'

BODY_TIME_S = 10.0
"""Maximum time for a JSON body to arrive, seconds."""


async def read_object(request: web.Request) -> dict[str, Any]:
    """
    Return the JSON object in the body of a request; {} if the body is empty.

    Raises:
        RefusedError: if the body is too large, arrives too slowly, or is not a JSON object.
    """
    try:
        content = await asyncio.wait_for(request.read(), BODY_TIME_S)
    except asyncio.TimeoutError as error:
        raise RefusedError(
            408, f'the request did not arrive within {BODY_TIME_S:.0f} s: send it again'
        ) from error
    except web.HTTPRequestEntityTooLarge as error:
        raise RefusedError(413, TOO_LARGE) from error
    return parse_object(content) if content else {}


def parse_object(content: str | bytes) -> dict[str, Any]:
    """
    Parse a JSON object.

    Raises:
        RefusedError: if the content is not a JSON object.
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
    Return a string field of a JSON object.

    Args:
        fields: the JSON object.
        name: name of the field.
        default: the value of a missing field; None = the field is required.

    Raises:
        RefusedError: if a required field is missing, or the field is not a string of valid
            Unicode.
    """
    value = fields.get(name, default)
    # Half of a surrogate pair is valid in JSON, but cannot be encoded as UTF-8.
    if not isinstance(value, str) or not _is_utf8(value):
        raise RefusedError(400, f'the field {name} must be a text')
    return value


def number(
    fields: dict[str, Any], name: str, default: int | None = None, highest: int = 2**63 - 1
) -> int:
    """
    Return an integer field of a JSON object.

    Args:
        fields: the JSON object.
        name: name of the field.
        default: the value of a missing field; None = the field is required.
        highest: maximum value; the minimum is -1.

    Raises:
        RefusedError: if a required field is missing, or the field is not an integer in this range.
    """
    value = fields.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not -1 <= value <= highest:
        raise RefusedError(400, f'the field {name} must be a whole number, -1 to {highest}')
    return value


def _is_utf8(value: str) -> bool:
    return value.isascii() or not any('\ud800' <= each <= '\udfff' for each in value)
