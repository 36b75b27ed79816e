# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Entrance: exchanges a one-time token for a cookie."""

from __future__ import annotations

from aiohttp import web
from edgetpu_retrain.page.access.sessions import Sessions, TEACHER
from edgetpu_retrain.page.app_keys import ROLE
from edgetpu_retrain.page.refused import RefusedError

# An HTML document that opens /.  A redirect to / would not work: if the address was opened from
# another site, browsers do not send a SameSite=Strict cookie after a redirect.
_ONWARD = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>edgetpu_retrain</title>'
    '<meta http-equiv="refresh" content="0;url=/"><p><a href="/">Open the page</a></p>'
)


class Entrance:
    """
    Serves the one-time addresses that the server prints.

    Args:
        sessions: the sessions of the visitors; None = every visitor is a teacher.
        cookie: name of the cookie of a session.
        has_tls: whether the server uses HTTPS.
    """

    def __init__(self, sessions: Sessions | None, cookie: str, *, has_tls: bool) -> None:
        self._sessions = sessions
        self._cookie = cookie
        self._has_tls = has_tls

    async def handle(self, request: web.Request) -> web.Response:
        """
        Exchange the token for a cookie, and forward the browser to the page.

        If the browser already has a teacher's session, the token is not used up.  A browser with a
        session is forwarded even if the token is invalid.

        Raises:
            RefusedError: if the token is invalid, and the browser has no session.
        """
        response = web.Response(text=_ONWARD, content_type='text/html')
        if request[ROLE] == TEACHER or self._sessions is None:
            return response
        try:
            cookie = self._sessions.enter(request.query.get('token', ''))
        except RefusedError:
            if request[ROLE] is None:
                raise
            return response
        response.set_cookie(
            self._cookie, cookie, httponly=True, samesite='Strict', secure=self._has_tls
        )
        return response
