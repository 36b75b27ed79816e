# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The files of the page are sent compressed, and again only if they changed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
import gzip
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from edgetpu_retrain.page.static_files import add_static_files
import pytest

MODULE = 'export const label = "mug";\n'


def fetched(folder: Path, path: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    """Return status, headers and body as they are sent."""

    async def fetch() -> tuple[int, Mapping[str, str], bytes]:
        app = web.Application()
        add_static_files(app, folder)
        async with (
            TestClient(TestServer(app), auto_decompress=False) as client,
            client.get(path, headers=headers) as response,
        ):
            return response.status, response.headers, await response.read()

    return asyncio.run(fetch())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / 'index.html').write_text('<!doctype html>')
    (tmp_path / 'js').mkdir()
    (tmp_path / 'js' / 'app.js').write_text(MODULE)
    return tmp_path


def test_a_program_that_knows_no_compression_gets_them_plain(folder: Path) -> None:
    status, headers, body = fetched(folder, '/static/js/app.js', **{'Accept-Encoding': 'identity'})
    assert (status, headers.get('Content-Encoding')) == (200, None)
    assert body.decode() == MODULE


def test_browsers_get_the_files_compressed(folder: Path) -> None:
    _, headers, body = fetched(folder, '/static/js/app.js', **{'Accept-Encoding': 'gzip, br'})
    assert headers['Content-Encoding'] == 'gzip'
    assert gzip.decompress(body).decode() == MODULE


def test_a_file_that_the_browser_has_is_not_sent_again(folder: Path) -> None:
    _, headers, _ = fetched(folder, '/')
    status, again, body = fetched(folder, '/', **{'If-None-Match': headers['ETag']})
    assert (status, again['ETag'], body) == (304, headers['ETag'], b'')


def test_another_version_of_a_file_is_sent(folder: Path) -> None:
    _, before, _ = fetched(folder, '/')
    (folder / 'index.html').write_text('<!doctype html><p>')
    status, _, _ = fetched(folder, '/', **{'If-None-Match': before['ETag']})
    assert status == 200
