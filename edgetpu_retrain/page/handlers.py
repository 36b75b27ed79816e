# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Adds the handlers that need the robot to the application."""

from __future__ import annotations

from importlib import metadata

from aiohttp import web
from edgetpu_retrain.page.access.sockets import Sockets
from edgetpu_retrain.page.app_keys import LIVE, OPTIONS, ROBOT, ROLE
from edgetpu_retrain.page.live.changes import Live
from edgetpu_retrain.page.live.trainings import Trainings
from edgetpu_retrain.page.options import Options
from edgetpu_retrain.page.robot import Robot
from edgetpu_retrain.page.routes.api import add_api
from edgetpu_retrain.page.video.watching import Video


def add_handlers(app: web.Application, options: Options, robot: Robot) -> None:
    """
    Add the HTTP API and the WebSockets to the application.

    Args:
        app: the application.
        options: the options of the server.
        robot: the robot.
    """
    sockets = Sockets()
    live, video = Live(robot, sockets), Video(robot, sockets)
    app[ROBOT], app[OPTIONS], app[LIVE] = robot, options, live
    app.router.add_get('/api/me', _me)
    app.router.add_get('/live', live.handle)
    app.router.add_get('/video', video.handle)
    app.on_cleanup.append(video.close)
    Trainings(robot, live).add_routes(app)
    add_api(app)


async def _me(request: web.Request) -> web.Response:
    robot: Robot = request.app[ROBOT]
    return web.json_response({'role': request[ROLE], 'node': robot.name, 'version': _version()})


def _version() -> str:
    try:
        return metadata.version('edgetpu_retrain')
    except metadata.PackageNotFoundError:  # run from a checkout without installation
        return ''
