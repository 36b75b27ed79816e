# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The keys under which handlers find what is shared: in their application, and in a request."""

from __future__ import annotations

from typing import Any

from aiohttp import web


def _key(kind: str, name: str) -> Any:
    """Return a key; aiohttp before 3.9 (Ubuntu 22.04) has strings only."""
    make = getattr(web, kind, None)
    return name if make is None else make(name)


ROBOT = _key('AppKey', 'robot')
"""The :class:`~edgetpu_retrain.page.robot.Robot`."""

LIVE = _key('AppKey', 'live')
"""The :class:`~edgetpu_retrain.page.live.changes.Live`: announces changes to all pages."""

OPTIONS = _key('AppKey', 'options')
"""The :class:`~edgetpu_retrain.page.options.Options`, such as the data folder."""

ROLE = _key('RequestKey', 'role')
"""The role of the visitor who sent a request: 'teacher' or 'observer'; None = not known."""

CLIENT = _key('RequestKey', 'client')
"""Who sent a request, to count: the cookie, or the address."""
