# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Samples leave and enter as a zip."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
import zipfile

import pytest
from support.page_api import PageApi

pytestmark = pytest.mark.usefixtures('measured_processes')

ZIP = 'application/zip'


def leftovers(page: PageApi) -> list[Path]:
    return [*page.data_dir.parent.glob('edgetpu_retrain.*')]


def test_an_empty_robot_has_nothing_to_export(page: PageApi) -> None:
    found = page.get('/api/export.zip')
    assert found.status == 400
    assert 'teach some first' in found.json['message']
    assert not leftovers(page)


def test_what_is_exported_can_be_imported(page: PageApi) -> None:
    ids = page.teach('mug', 'bottle')
    found = page.get('/api/export.zip')
    assert found.status == 200
    assert found.headers['Content-Type'] == ZIP
    assert found.headers['Content-Disposition'].startswith('attachment; filename="samples-')
    with zipfile.ZipFile(io.BytesIO(found.body)) as archive:
        assert archive.testzip() is None
    done = page.post('/api/import', found.body, ZIP)
    assert (done.status, done.json) == (
        200, {'message': '0 samples were added, 12 were there already.', 'added': 0},
    )  # fmt: skip
    assert page.post('/api/samples/remove', {'label': 'mug'}).status == 200
    done = page.post('/api/import', found.body, ZIP)
    assert done.json['message'] == '6 samples were added, 6 were there already.'
    assert len(page.ids('mug')) == 6
    assert {*page.ids('mug')}.isdisjoint(ids['mug'])
    assert not leftovers(page)


@pytest.mark.parametrize('content', [b'', b'not a zip', b'PK\x05\x06' + b'\0' * 18])
def test_what_is_no_zip_of_samples_is_refused(page: PageApi, content: bytes) -> None:
    before = page.get('/api/samples').json
    done = page.post('/api/import', content, ZIP)
    assert done.status == 400
    assert done.json['message'].startswith('The zip is no sample archive that can be imported')
    assert str(page.data_dir.parent) not in done.json['message']
    assert page.get('/api/samples').json == before
    assert not leftovers(page)


@pytest.mark.parametrize('body', [{}, {'path': '/etc/passwd'}])
def test_json_is_not_imported(page: PageApi, body: Any) -> None:
    assert page.post('/api/import', body).status == 415
