# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""An analysis is started over HTTP, and says what to do where it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from support.page_api import PageApi

pytestmark = pytest.mark.usefixtures('measured_processes')


def has_ended(state: Any) -> bool:
    return bool(state['state'] != 'running')


def test_an_analysis_needs_two_classes(page: PageApi) -> None:
    assert page.get('/api/analysis').json['state'] == 'none'
    done = page.post('/api/analysis', {})
    assert done.status == 409
    assert 'nothing was taught' in done.json['message']
    page.teach('mug')
    page.wait_for('/api/samples', lambda found: found['total'] == 6)
    done = page.post('/api/analysis', {})
    assert done.status == 409
    assert 'only one class was taught' in done.json['message']


def test_an_analysis_is_ready_until_the_samples_change(page: PageApi) -> None:
    page.teach('mug', 'bottle')
    done = page.post('/api/analysis', {})
    assert (done.status, done.json) == (202, {'message': 'The analysis has started.'})
    found = page.wait_for('/api/analysis', has_ended)
    assert found['state'] == 'ready', found
    assert not found['stale']
    assert found['labels'] == ['mug', 'bottle']
    assert [len(row) for row in found['cells']] == [2, 2]
    assert found['headline']
    page.post('/api/undo', {})
    assert page.get('/api/analysis').json['stale']
    page.post('/api/redo', {})
    assert not page.get('/api/analysis').json['stale']


def test_fields_are_refused(page: PageApi) -> None:
    assert page.post('/api/analysis', {'folder': '/etc'}).status == 400
    assert page.get('/api/analysis?folder=/etc').status == 400
