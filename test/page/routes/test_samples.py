# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Samples are listed and corrected over HTTP and DDS."""

from __future__ import annotations

from typing import Any

import pytest
from support.page_api import PageApi

pytestmark = pytest.mark.usefixtures('measured_processes')

HTML = '<img src=x onerror=alert(1)>'


def test_an_empty_robot_has_no_samples(page: PageApi) -> None:
    found = page.get('/api/samples?limit=10')
    assert (found.status, found.json) == (
        200, {'total': 0, 'labels': [], 'counts': [], 'samples': []},
    )  # fmt: skip
    for way in ('undo', 'redo'):
        done = page.post(f'/api/{way}', {})
        assert done.status == 409
        assert 'othing to' in done.json['message']


def test_samples_are_listed_page_by_page(page: PageApi) -> None:
    taught = page.teach('mug', 'bottle')
    found = page.get('/api/samples?limit=5').json
    assert (found['labels'], found['counts'], found['total']) == (['mug', 'bottle'], [6, 6], 12)
    first = found['samples'][0]
    assert first['id'] == taught['bottle'][-1]
    assert (first['label'], first['camera'], first['has_image']) == ('bottle', 'camera', True)
    assert first['stamp'] > 0
    assert first['recording']
    seen = [each['id'] for each in found['samples']]
    for _ in range(3):
        found = page.get(f'/api/samples?limit=5&before={seen[-1]}').json
        seen += [each['id'] for each in found['samples']]
    assert seen == [*reversed(taught['mug'] + taught['bottle'])]
    assert page.get('/api/samples?label=cup').json['samples'] == []


def test_samples_are_relabelled_removed_and_brought_back(page: PageApi) -> None:
    ids = page.teach('mug')['mug'][:2]
    done = page.post('/api/samples/relabel', {'ids': ids, 'label': HTML})
    assert done.status == 200, done.json
    assert done.json['relabelled'] == 2
    assert HTML in page.get('/api/samples').json['labels']
    done = page.post('/api/samples/relabel', {'from_label': HTML, 'label': 'cup'})
    assert done.json['relabelled'] == 2
    assert page.ids('cup') == ids
    done = page.post('/api/samples/remove', {'ids': ids[:1]})
    assert (done.status, done.json['removed']) == (200, 1)
    assert page.ids('cup') == ids[1:]
    done = page.post('/api/samples/remove', {'label': 'cup'})
    assert (done.status, page.ids('cup')) == (200, [])
    for _ in range(2):
        assert page.post('/api/undo', {}).status == 200
    assert page.ids('cup') == ids
    assert page.post('/api/redo', {}).status == 200
    assert page.ids('cup') == ids[1:]


@pytest.mark.parametrize(
    ('path', 'body', 'status', 'words'),
    [
        ('relabel', {'ids': [10**6], 'label': 'cup'}, 409, '1000000'),
        ('relabel', {'ids': [1], 'label': 'a/b'}, 409, "'/'"),
        ('relabel', {'ids': [1], 'label': ''}, 409, 'abel'),
        ('relabel', {'ids': [1], 'label': 'x' * 500}, 409, 'abel'),
        ('relabel', {'ids': [1], 'from_label': 'mug', 'label': 'cup'}, 400, 'either ids or'),
        ('relabel', {'label': 'cup'}, 400, 'either ids or from_label'),
        ('relabel', {'ids': [1]}, 400, 'the field label is missing'),
        ('relabel', {'ids': [1] * 10001, 'label': 'cup'}, 400, '1 to 10000'),
        ('relabel', {'ids': [float('nan')], 'label': 'cup'}, 400, 'whole numbers'),
        ('remove', {'ids': [10**6]}, 409, '1000000'),
        ('remove', {'label': 'no such class'}, 409, 'no such class'),
        ('remove', {'label': ''}, 400, 'either ids or label'),
        ('remove', {'label': 'mug', 'n': 5}, 400, "no field 'n'"),
        ('remove', {'ids': [1], 'forever': True}, 400, "no field 'forever'"),
    ],
)
def test_what_is_wrong_is_refused_and_changes_nothing(
    page: PageApi, path: str, body: Any, status: int, words: str
) -> None:
    before = page.get('/api/samples?limit=1000').json
    done = page.post(f'/api/samples/{path}', body)
    assert (done.status, words in done.json['message']) == (status, True), done.json
    assert page.get('/api/samples?limit=1000').json == before
