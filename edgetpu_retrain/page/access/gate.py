# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Gate: checks each request before a handler receives it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from edgetpu_retrain.page.access.hosts import Hosts, local_address, peer_address
from edgetpu_retrain.page.access.rates import (
    Rates,
    READS_AT_ONCE,
    READS_PER_S,
    WRITES_AT_ONCE,
    WRITES_PER_S,
)
from edgetpu_retrain.page.access.sessions import Sessions, TEACHER
from edgetpu_retrain.page.app_keys import CLIENT, ROLE
from edgetpu_retrain.page.bodies import MAX_BODY_BYTES, TOO_LARGE
from edgetpu_retrain.page.refused import RefusedError

ENTRANCE = '/enter'
"""The path where a token is exchanged for a cookie."""

IMPORT = '/api/import'
"""The only path whose request body is a zip; all others receive JSON."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gate:
    """
    Checks the host, origin, session, rate, role and body of each request.

    Args:
        hosts: the names of this machine.
        sessions: the sessions of the visitors; None = every visitor is a teacher.
        cookie: name of the cookie of a session.
    """

    def __init__(self, hosts: Hosts, sessions: Sessions | None, cookie: str) -> None:
        self._hosts = hosts
        self._sessions = sessions
        self._cookie = cookie
        self._reads = Rates(READS_PER_S, READS_AT_ONCE)
        self._writes = Rates(WRITES_PER_S, WRITES_AT_ONCE)

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """
        Serve a request if it passes all checks; a middleware of aiohttp.

        Raises:
            RefusedError: if the request fails a check.
        """
        host = request.headers.get('Host', '')
        self._hosts.check_host(host, local_address(request.transport))
        is_write = request.method not in {'GET', 'HEAD'}
        if is_write or 'Upgrade' in request.headers:
            self._hosts.check_origin(request.headers.get('Origin'), host)
        cookie = request.cookies.get(self._cookie, '')
        role = TEACHER if self._sessions is None else self._sessions.role(cookie)
        client = peer_address(request.transport) if role is None else cookie
        (self._writes if is_write else self._reads).take(client)
        request[ROLE], request[CLIENT] = role, client
        if role is None and request.path != ENTRANCE:
            raise RefusedError(
                401,
                'the robot does not know this browser: open the address that the robot has '
                'printed, or scan its QR code',
            )
        if is_write:
            _check_write(request)
        return await handler(request)


def check_teacher(role: str | None) -> None:
    """
    Check that a visitor is a teacher.

    Raises:
        RefusedError: if the visitor has another role, or none.
    """
    if role != TEACHER:
        raise RefusedError(403, 'you may only look: teaching needs the address for teachers')


def _check_write(request: web.Request) -> None:
    check_teacher(request[ROLE])
    wanted = 'application/zip' if request.path == IMPORT else 'application/json'
    if request.content_type != wanted:
        raise RefusedError(415, f'the body must be {wanted}: set the header Content-Type')
    if request.path != IMPORT and (request.content_length or 0) > MAX_BODY_BYTES:
        raise RefusedError(413, TOO_LARGE)
