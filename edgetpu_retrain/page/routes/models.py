# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Models: list, load, compare."""

from __future__ import annotations

import asyncio

from aiohttp import web
from edgetpu_retrain.page.app_keys import ROBOT
from edgetpu_retrain.page.data.child import run_work
from edgetpu_retrain.page.data.models import list_models
from edgetpu_retrain.page.routes.fields import body_of, query_of, whole
from edgetpu_retrain.page.routes.robot_access import announce, call, data_folder
from edgetpu_retrain_interfaces.srv import LoadModel

LARGEST_VERSION = 2**31 - 1


def add_routes(app: web.Application) -> None:
    """Add the routes of models to an application."""
    app.router.add_get('/api/models', _list, allow_head=False)
    app.router.add_post('/api/models/load', _load)
    app.router.add_get('/api/models/compare', _Comparisons().compare, allow_head=False)


async def _list(request: web.Request) -> web.Response:
    query_of(request)
    folder = await data_folder(request)
    status = request.app[ROBOT].status
    serving = status.model_version if status is not None else 0
    loop = asyncio.get_running_loop()
    return web.json_response(await loop.run_in_executor(None, list_models, folder, serving))


async def _load(request: web.Request) -> web.Response:
    given = await body_of(request, version=whole(-1, LARGEST_VERSION))
    done = await call(request, LoadModel, 'load_model', **given)
    announce(request, 'models')
    return web.json_response({'message': done.message, 'version': done.model_version})


class _Comparisons:
    """Runs comparisons one after the other, because each starts a process."""

    def __init__(self) -> None:
        self._comparing = asyncio.Lock()

    async def compare(self, request: web.Request) -> web.Response:
        """Serve a request to compare two versions."""
        query = query_of(request, a=whole(1, LARGEST_VERSION), b=whole(1, LARGEST_VERSION))
        folder = await data_folder(request)
        async with self._comparing:
            compared = await run_work(str(folder), 'compare', str(query['a']), str(query['b']))
        return web.json_response(compared)
