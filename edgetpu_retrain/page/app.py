# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Creates the web application with the access checks and the files of the page."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web
from edgetpu_retrain.page.access.entrance import Entrance
from edgetpu_retrain.page.access.gate import ENTRANCE, Gate
from edgetpu_retrain.page.access.headers import add_headers
from edgetpu_retrain.page.access.hosts import Hosts
from edgetpu_retrain.page.access.problems import in_sentences
from edgetpu_retrain.page.access.sessions import Sessions
from edgetpu_retrain.page.bodies import MAX_BODY_BYTES
from edgetpu_retrain.page.options import Options
from edgetpu_retrain.page.static_files import add_static_files

STATIC = Path(__file__).parent / 'static'


def make_app(options: Options, sessions: Sessions | None) -> web.Application:
    """
    Return the application with the access checks and the files of the page.

    The module ``handlers`` adds the handlers that need ROS.

    Args:
        options: the options of the server.
        sessions: the sessions of the visitors; None = every visitor is a teacher.
    """
    has_tls = options.tls_certificate is not None
    # Browsers share cookies between all ports of a host, so two pages on one machine need cookies
    # with different names.
    cookie = f'edgetpu_retrain_{options.port}'
    gate = Gate(Hosts(options.allowed_hosts, has_tls=has_tls), sessions, cookie)
    app = web.Application(middlewares=[in_sentences, gate.check], client_max_size=MAX_BODY_BYTES)
    app.on_response_prepare.append(add_headers)
    entrance = Entrance(sessions, cookie, has_tls=has_tls)
    app.router.add_get(ENTRANCE, entrance.handle, allow_head=False)
    add_static_files(app, STATIC)
    return app
