# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Keys of the values that handlers read from the application and from a request."""

from __future__ import annotations

from typing import Any

from aiohttp import web


def _key(kind: str, name: str) -> Any:
    """Return an AppKey or RequestKey, or the name itself if aiohttp is too old to have them."""
    make = getattr(web, kind, None)
    return name if make is None else make(name)


ROBOT = _key('AppKey', 'robot')
"""The :class:`~edgetpu_retrain.page.robot.Robot`."""

LIVE = _key('AppKey', 'live')
"""The :class:`~edgetpu_retrain.page.live.changes.Live`: announces changes to all pages."""

OPTIONS = _key('AppKey', 'options')
"""The :class:`~edgetpu_retrain.page.options.Options` of the server."""

ROLE = _key('RequestKey', 'role')
"""The role of the visitor who sent a request: 'teacher' or 'observer'; None = no session."""

CLIENT = _key('RequestKey', 'client')
"""
Identifies a visitor for the limits: the cookie, or the IP address if the visitor has no role.
Without sessions every visitor is a teacher, and the cookie may be ''.
"""
