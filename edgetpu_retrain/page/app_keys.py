# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The keys under which handlers find the shared objects of the server in their application."""

from __future__ import annotations

from typing import Any

from aiohttp import web


def _key(name: str) -> Any:
    """Return a key of an application; aiohttp before 3.9 (Ubuntu 22.04) has strings only."""
    make = getattr(web, 'AppKey', None)
    return name if make is None else make(name)


ROBOT = _key('robot')
"""The :class:`~edgetpu_retrain.page.robot.Robot`."""

LIVE = _key('live')
"""The :class:`~edgetpu_retrain.page.live.Live`: announces changes to all pages."""

OPTIONS = _key('options')
"""The :class:`~edgetpu_retrain.page.options.Options`, such as the data folder."""
