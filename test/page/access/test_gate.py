# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Who is let in, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgetpu_retrain.page.access.headers import HEADERS
from edgetpu_retrain.page.options import Options
import pytest
from support.page_server import PageServer, Reply


@pytest.fixture
def server() -> Iterator[PageServer]:
    """Return a server for this machine only."""
    with PageServer() as running:
        yield running


@pytest.fixture
def lan() -> Iterator[PageServer]:
    """Return a server that needs a token."""
    with PageServer(Options(lan=True)) as running:
        yield running


def enter(server: PageServer, token: str, **headers: str) -> Reply:
    return server.request('GET', f'/enter?token={token}', headers=headers)


def cookie_of(server: PageServer, role: str) -> str:
    reply = enter(server, server.tokens[role])
    assert reply.status == 200
    return reply.headers['Set-Cookie'].partition(';')[0]


def test_on_this_machine_every_visitor_is_a_teacher(server: PageServer) -> None:
    assert server.request('GET', '/api/me').body == b'{"role": "teacher"}'
    assert server.request('POST', '/api/write', {'a': 1}).message == 'Written.'
    assert server.request('GET', '/enter').status == 200
    assert server.writes == [{'a': 1}]


@pytest.mark.parametrize(
    ('headers', 'status'),
    [
        ({'Host': 'evil.example'}, 421),
        ({'Origin': 'http://evil.example'}, 403),
        ({'Origin': None}, 403),
        ({'Origin': 'null'}, 403),
        ({'Origin': 'http://evil.example', 'Host': 'evil.example'}, 421),
        ({'Content-Type': 'text/plain'}, 415),
        ({'Content-Type': 'application/x-www-form-urlencoded'}, 415),
        ({'Content-Type': 'multipart/form-data; boundary=x'}, 415),
        ({'Content-Type': None}, 415),
    ],
)
@pytest.mark.parametrize('path', ['/api/write', '/api/import'])
def test_a_hostile_write_changes_nothing(
    server: PageServer, path: str, headers: Any, status: int
) -> None:
    refused = server.request('POST', path, {'label': 'evil'}, headers)
    assert refused.status == status
    assert refused.message.endswith('.')
    assert not server.writes


def test_a_request_without_host_changes_nothing(server: PageServer) -> None:
    # aiohttp itself refuses it, from 3.11 on.
    assert server.request('POST', '/api/write', {}, {'Host': None}).status in {400, 421}
    assert not server.writes


@pytest.mark.parametrize('method', ['PUT', 'DELETE', 'PATCH', 'OPTIONS'])
def test_other_methods_are_refused(server: PageServer, method: str) -> None:
    headers = {'Origin': server.origin, 'Content-Type': 'application/json'}
    refused = server.request(method, '/api/write', b'{}', headers)
    assert refused.status == 405
    assert 'use POST' in refused.message
    assert server.request('GET', '/api/write').status == 405
    assert not server.writes


@pytest.mark.parametrize(
    'body', [b'{', b'[]', b'"text"', b'\xff', b'[' * 100_000, b'{"a":' * 9999]
)
def test_a_body_that_is_no_object_is_refused(server: PageServer, body: bytes) -> None:
    refused = server.request('POST', '/api/write', body)
    assert refused.status == 400
    assert 'JSON' in refused.message


def test_every_response_has_the_headers(server: PageServer) -> None:
    for path in ('/', '/api/me', '/nothing', '/enter'):
        reply = server.request('GET', path)
        assert {name: reply.headers[name] for name in HEADERS} == HEADERS
        assert reply.headers['Cache-Control'] in {'no-store', 'no-cache'}
    assert server.request('GET', '/api/me', headers={'Host': 'evil'}).headers['Server'] == (
        'edgetpu_retrain'
    )


def test_a_fault_is_no_secret_for_the_log_and_one_for_the_visitor(
    server: PageServer, caplog: pytest.LogCaptureFixture
) -> None:
    reply = server.request('GET', '/api/fault')
    assert reply.status == 500
    assert 'secret' not in reply.message
    assert 'a secret' in caplog.text


def test_a_browser_that_navigates_gets_a_page_with_the_reason_as_text(server: PageServer) -> None:
    reply = server.request('GET', '/%3Cscript%3E', headers={'Sec-Fetch-Mode': 'navigate'})
    assert reply.status == 404
    assert reply.headers['Content-Type'].startswith('text/html')
    assert b'&lt;script&gt;' in reply.body
    assert b'<script>' not in reply.body
    assert b'<p>There is no' in reply.body


@pytest.mark.parametrize('path', ['/', '/api/me', '/static/index.html', '/socket', '/nothing'])
def test_without_a_cookie_nothing_is_shown(lan: PageServer, path: str) -> None:
    for headers in ({}, {'Cookie': 'edgetpu_retrain_0=guessed'}):
        refused = lan.request('GET', path, headers=headers)
        assert refused.status == 401
        assert 'QR code' in refused.message


def test_without_a_cookie_nothing_is_changed(lan: PageServer) -> None:
    assert lan.request('POST', '/api/write', {}).status == 401
    assert not lan.writes


def test_a_token_is_exchanged_for_a_cookie_once(lan: PageServer) -> None:
    token = lan.tokens['teacher']
    reply = enter(lan, token)
    attributes = reply.headers['Set-Cookie']
    assert 'HttpOnly' in attributes
    assert 'SameSite=Strict' in attributes
    assert 'Secure' not in attributes
    assert token not in reply.body.decode()
    cookie = attributes.partition(';')[0]
    assert lan.request('GET', '/api/me', headers={'Cookie': cookie}).body == b'{"role": "teacher"}'
    assert lan.request('POST', '/api/write', {}, {'Cookie': cookie}).status == 200
    # Another phone needs the address that was printed since; this one may load it again.
    assert enter(lan, token).status == 403
    assert enter(lan, token, Cookie=cookie).status == 200
    assert lan.tokens['teacher'] != token
    assert enter(lan, lan.tokens['teacher']).status == 200


def test_a_preview_of_the_address_does_not_use_the_token(lan: PageServer) -> None:
    assert lan.request('HEAD', f'/enter?token={lan.tokens["teacher"]}').status == 405
    assert cookie_of(lan, 'teacher')


def test_an_observer_only_looks(lan: PageServer) -> None:
    cookie = cookie_of(lan, 'observer')
    assert b'observer' in lan.request('GET', '/api/me', headers={'Cookie': cookie}).body
    refused = lan.request('POST', '/api/write', {}, {'Cookie': cookie})
    assert refused.status == 403
    assert 'only look' in refused.message
    assert not lan.writes
    # The address for teachers makes an observer one.
    better = enter(lan, lan.tokens['teacher'], Cookie=cookie).headers['Set-Cookie']
    assert (
        lan.request('POST', '/api/write', {}, {'Cookie': better.partition(';')[0]}).status == 200
    )


def test_a_cookie_does_not_help_a_foreign_page(lan: PageServer) -> None:
    cookie = {'Cookie': cookie_of(lan, 'teacher')}
    hostile = {**cookie, 'Origin': 'http://evil.example'}
    assert lan.request('POST', '/api/write', {}, hostile).status == 403
    assert lan.request('GET', '/api/me', headers={**cookie, 'Host': 'evil.example'}).status == 421


@pytest.mark.parametrize('cookie', ['a' * 7000, '=;;=', 'edgetpu_retrain_0="\\"', '\x7f', 'é'])
def test_a_strange_cookie_is_nobody(lan: PageServer, cookie: str) -> None:
    assert lan.request('GET', '/api/me', headers={'Cookie': cookie}).status in {400, 401}
