# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Sessions: exchanges one-time tokens for cookies, and stores the role of each cookie."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
import secrets

from edgetpu_retrain.page.refused import RefusedError

TEACHER = 'teacher'
"""The role that may change samples and models."""

OBSERVER = 'observer'
"""The role that may view everything and change nothing."""

MAX_SESSIONS = 64
"""Maximum number of sessions; a new session beyond it ends the least recently used one."""

# Number of random bytes in a token or cookie.
_TOKEN_BYTES = 24


class Sessions:
    """
    The sessions of the browsers that have exchanged a token for a cookie.

    Sessions are not written to disk, so all of them end with the server.

    Args:
        announce: called with the role and the token whenever a token is created.
    """

    def __init__(self, announce: Callable[[str, str], object]) -> None:
        self._announce = announce
        self._tokens: dict[str, str] = {}
        self._roles: OrderedDict[str, str] = OrderedDict()

    def begin(self) -> None:
        """Create and announce the first token of each role."""
        for role in (TEACHER, OBSERVER):
            self._renew(role)

    def enter(self, token: str) -> str:
        """
        Exchange a token for a session, and announce the next token of its role.

        Returns:
            The value of the session's cookie.

        Raises:
            RefusedError: if the token is wrong, or was used before.
        """
        for role, valid in self._tokens.items():
            if secrets.compare_digest(valid.encode(), token.encode(errors='replace')):
                cookie = secrets.token_urlsafe(_TOKEN_BYTES)
                self._roles[cookie] = role
                if len(self._roles) > MAX_SESSIONS:
                    self._roles.popitem(last=False)
                self._renew(role)
                return cookie
        raise RefusedError(
            403,
            'this address was used before, or is wrong: the robot has printed a new one where '
            'the page was started',
        )

    def role(self, cookie: str) -> str | None:
        """Return the role of the session with this cookie; None if no session has it."""
        role = self._roles.get(cookie)
        if role is not None:
            self._roles.move_to_end(cookie)
        return role

    def _renew(self, role: str) -> None:
        self._tokens[role] = token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._announce(role, token)
