# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Model versions are listed, loaded and compared over HTTP and DDS."""

from __future__ import annotations

import pytest
from support.page_api import PageApi

pytestmark = pytest.mark.usefixtures('measured_processes')


def test_before_the_first_training_there_are_no_models(page: PageApi) -> None:
    found = page.get('/api/models')
    assert (found.status, found.json) == (200, {'serving': 0, 'versions': [], 'damaged': []})
    done = page.post('/api/models/load', {'version': -1})
    assert done.status == 409
    assert done.json['message']


def test_versions_are_listed_rolled_back_and_compared(page: PageApi) -> None:
    page.teach('mug', 'bottle')
    for _ in range(2):
        assert page.person.train(num_iter=100, learning_rate=0.1)[1].success
    found = page.wait_for('/api/models', lambda each: each['serving'] == 2)
    assert [each['version'] for each in found['versions']] == [2, 1]
    assert found['versions'][0]['serving']
    assert found['versions'][0]['sample_counts'] == [6, 6]
    done = page.post('/api/models/load', {'version': -1})
    assert (done.status, done.json['version']) == (200, 1)
    page.wait_for('/api/models', lambda each: each['serving'] == 1)
    compared = page.get('/api/models/compare?a=1&b=2')
    assert compared.status == 200, compared.json
    assert compared.json['basis'] == 'own'
    page.teach('mug')
    compared = page.get('/api/models/compare?a=1&b=2').json
    assert (compared['basis'], compared['samples']) == ('new', 6)
    assert compared['a']['version'] == 1
    assert compared['words']


@pytest.mark.parametrize(
    ('query', 'status', 'words'),
    [
        ('a=1', 400, 'the field b is missing'),
        ('a=1&b=x', 400, "b is 'x'; it must be a whole number from 1"),
        ('a=1&b=0', 400, 'whole number from 1'),
        ('a=3&b=3', 400, 'Both versions are 3'),
        ('a=7&b=8', 400, 'There is no model version 7'),
        ('a=1&b=2&c=3', 400, "no field 'c'"),
    ],
)
def test_what_cannot_be_compared_is_named(
    page: PageApi, query: str, status: int, words: str
) -> None:
    found = page.get(f'/api/models/compare?{query}')
    assert (found.status, words in found.json['message']) == (status, True), found.json


@pytest.mark.parametrize(
    ('version', 'status'), [(-2, 400), (2**31, 400), ('1', 400), (None, 400), (99, 409)]
)
def test_a_version_that_is_not_there_is_not_loaded(
    page: PageApi, version: object, status: int
) -> None:
    done = page.post('/api/models/load', {'version': version})
    assert done.status == status
    assert str(version) in done.json['message'] or status == 409
