# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgetpu_retrain.page.app import STATIC
import pytest
from support.page_server import PageServer


@pytest.fixture(scope='module')
def server() -> Iterator[PageServer]:
    with PageServer() as running:
        yield running


FILES = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob('*') if path.is_file())


@pytest.mark.parametrize('name', FILES)
def test_each_file_of_the_page_has_its_type_and_is_asked_for_again(
    server: PageServer, name: str
) -> None:
    reply = server.request('GET', f'/static/{name}')
    assert reply.status == 200, f'{name}: add its suffix to static_files._TYPES'
    assert reply.body == (STATIC / name).read_bytes()
    assert reply.headers['Cache-Control'] == 'no-cache'
    if Path(name).suffix == '.js':
        assert reply.headers['Content-Type'] == 'text/javascript; charset=utf-8'
    unchanged = {'If-None-Match': reply.headers['Etag']}
    again = server.request('GET', f'/static/{name}', headers=unchanged)
    assert (again.status, again.body) == (304, b'')


def test_the_page_itself_is_index_html(server: PageServer) -> None:
    reply = server.request('GET', '/')
    assert reply.body == (STATIC / 'index.html').read_bytes()
    assert reply.headers['Content-Type'] == 'text/html; charset=utf-8'


@pytest.mark.parametrize(
    'path',
    [
        *('../main.py', '..%2fmain.py', '%2e%2e/main.py', '/etc/passwd', '..\\main.py'),
        *('', '.', 'nothing.js', 'index.html/', '%00', 'css'),
    ],
)
def test_no_other_file_is_served(server: PageServer, path: str) -> None:
    refused = server.request('GET', f'/static/{path}')
    assert refused.status in {400, 404}
    assert b'import' not in refused.body
