# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The fields of requests are checked, by name, type and range."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp.test_utils import make_mocked_request
from edgetpu_retrain.page.refused import RefusedError
from edgetpu_retrain.page.routes.fields import body_of, Field, ids, MAX_TEXT, query_of, text, whole
import pytest

FIELDS = {'number': whole(-1, 9, default=4), 'label': text(default=''), 'ids': ids(3, default=[])}


def body(content: bytes, **fields: Field) -> dict[str, Any]:
    """Return the checked fields of a JSON body."""

    async def main() -> dict[str, Any]:
        request = make_mocked_request('POST', '/')
        request._read_bytes = content
        return await body_of(request, **fields)

    return asyncio.run(main())


def query(address: str, **fields: Field) -> dict[str, Any]:
    """Return the checked fields of a query."""
    return query_of(make_mocked_request('GET', f'/?{address}'), **fields)


def test_valid_fields_and_defaults_are_returned() -> None:
    assert body(b'', **FIELDS) == {'number': 4, 'label': '', 'ids': []}
    given = b'{"number": -1, "label": "<b>cup</b> \\u00e9", "ids": [1, 9223372036854775807]}'
    assert body(given, **FIELDS) == {
        'number': -1, 'label': '<b>cup</b> é', 'ids': [1, 2**63 - 1],
    }  # fmt: skip
    assert query('number=9&label=5', **FIELDS) == {'number': 9, 'label': '5', 'ids': []}


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'{"number": 10}', "number is '10'; it must be a whole number from -1 to 9"),
        (b'{"number": true}', "number is 'True'; it must be a whole number"),
        (b'{"number": 1.0}', "number is '1.0'; it must be"),
        (b'{"number": NaN}', "number is 'nan'; it must be"),
        (b'{"number": "1"}', "number is '1'; it must be"),
        (b'{"number": null}', "number is 'None'; it must be"),
        (b'{"label": ["x"]}', 'it must be a text of at most 1000 characters'),
        (b'{"label": "' + b'x' * (MAX_TEXT + 1) + b'"}', r'1001 characters\); it must be a'),
        (b'{"label": "\\ud800"}', 'it must be a text'),
        (b'{"ids": []}', r"ids is '\[\]'; it must be a list of 1 to 3 whole numbers from 1"),
        (b'{"ids": [1, 2, 3, 4]}', 'it must be a list of 1 to 3'),
        (b'{"ids": [0]}', 'it must be a list'),
        (b'{"ids": [9223372036854775808]}', 'it must be a list'),
        (b'{"ids": [1.5]}', 'it must be a list'),
        (b'{"ids": [true]}', 'it must be a list'),
        (b'{"ids": {"0": 1}}', 'it must be a list'),
        (b'{"idz": [1]}', "there is no field 'idz': the fields are number, label, ids"),
        (b'[]', 'JSON object'),
        (b'{', 'no JSON'),
        (b'[' * 100000, 'no JSON'),
        (b'\xff', 'no JSON'),
        (b'{"number": ' + b'9' * 5000 + b'}', 'JSON|it must be a whole number'),
    ],
)  # fmt: skip
def test_an_invalid_body_is_refused_in_a_sentence(content: bytes, message: str) -> None:
    with pytest.raises(RefusedError, match=message) as refusal:
        body(content, **FIELDS)
    assert refusal.value.status == 400
    assert len(str(refusal.value)) < 300


def test_a_missing_field_is_named() -> None:
    with pytest.raises(RefusedError, match='the field label is missing: it must be a text'):
        body(b'{}', label=text())
    with pytest.raises(RefusedError, match="there is no field 'x': there are no fields"):
        body(b'{"x": 1}')


@pytest.mark.parametrize(
    ('address', 'message'),
    [
        ('number=', "number is ''; it must be a whole number"),
        ('number=1e0', "number is '1e0'; it must be"),
        ('number=٤', 'number is .*; it must be'),
        ('number=' + '9' * 30, 'it must be'),
        ('number=1&number=1', "the field 'number' is given twice"),
        ('ids=1', 'ids is .*; it must be a list'),
        ('other', "there is no field 'other'"),
    ],
)
def test_an_invalid_query_is_refused_in_a_sentence(address: str, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        query(address, **FIELDS)
