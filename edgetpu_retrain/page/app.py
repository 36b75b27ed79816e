# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Puts the server together: who may, the routes, the files of the page."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from aiohttp import web
from edgetpu_retrain.page.access.entrance import Entrance
from edgetpu_retrain.page.access.gate import ENTRANCE, Gate
from edgetpu_retrain.page.access.headers import add_headers
from edgetpu_retrain.page.access.hosts import Hosts
from edgetpu_retrain.page.access.problems import in_sentences
from edgetpu_retrain.page.access.sessions import Sessions
from edgetpu_retrain.page.access.sockets import Sockets
from edgetpu_retrain.page.app_keys import LIVE, OPTIONS, ROBOT
from edgetpu_retrain.page.bodies import MAX_BODY_BYTES
from edgetpu_retrain.page.live import Live
from edgetpu_retrain.page.options import Options
from edgetpu_retrain.page.robot import Robot
from edgetpu_retrain.page.routes.api import add_api
from edgetpu_retrain.page.static_files import add_static_files
from edgetpu_retrain.page.training import Trainings
from edgetpu_retrain.page.video.watching import Video

STATIC = Path(__file__).parent / 'static'


def make_app(options: Options, robot: Robot, sessions: Sessions | None) -> web.Application:
    """
    Return the application.

    Args:
        options: the options of the server.
        robot: the robot.
        sessions: who is in; None lets every visitor be a teacher.
    """
    has_tls = options.tls_certificate is not None
    # Cookies do not know ports: two robots on one machine need two names.
    cookie = f'edgetpu_retrain_{options.port}'
    gate = Gate(Hosts(options.allowed_hosts, has_tls=has_tls), sessions, cookie)
    app = web.Application(middlewares=[in_sentences, gate.check], client_max_size=MAX_BODY_BYTES)
    sockets = Sockets()
    live, video = Live(robot, sockets), Video(robot, sockets)
    app[ROBOT], app[OPTIONS], app[LIVE] = robot, options, live
    app.on_response_prepare.append(add_headers)
    entrance = Entrance(sessions, cookie, has_tls=has_tls)
    app.router.add_get(ENTRANCE, entrance.handle, allow_head=False)
    app.router.add_get('/api/me', _me)
    add_api(app)
    app.router.add_get('/live', live.handle)
    app.router.add_get('/video', video.handle)
    app.on_cleanup.append(video.close)
    Trainings(robot, live).add_routes(app)
    add_static_files(app, STATIC)
    return app


def _version() -> str:
    try:
        return metadata.version('edgetpu_retrain')
    except metadata.PackageNotFoundError:  # run from a checkout
        return ''


async def _me(request: web.Request) -> web.Response:
    robot: Robot = request.app[ROBOT]
    return web.json_response({'role': request['role'], 'node': robot.name, 'version': _version()})
