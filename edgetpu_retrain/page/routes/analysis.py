# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Analysis: start an analysis of the samples, and read its state and result."""

from __future__ import annotations

from functools import partial

from aiohttp import web
from edgetpu_retrain.client import RetrainClientError
from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.page.app_keys import LIVE, ROBOT
from edgetpu_retrain.page.data.analysis_run import AnalysisRun
from edgetpu_retrain.page.refused import RefusedError
from edgetpu_retrain.page.routes.fields import body_of, query_of
from edgetpu_retrain.page.routes.robot_access import data_folder


def add_routes(app: web.Application) -> None:
    """Add the routes of the analysis to an application, whose cleanup cancels the analysis."""
    analyses = _Analyses(AnalysisRun(partial(app[LIVE].changed, 'analysis')))
    app.on_cleanup.append(analyses.close)
    app.router.add_get('/api/analysis', analyses.state, allow_head=False)
    app.router.add_post('/api/analysis', analyses.start)


class _Analyses:
    """Serves the requests about analyses."""

    def __init__(self, run: AnalysisRun) -> None:
        self._run = run

    async def close(self, _: web.Application) -> None:
        await self._run.close()

    async def state(self, request: web.Request) -> web.Response:
        query_of(request)
        try:
            folder = await data_folder(request)
        except (RefusedError, RetrainClientError, StoreError):
            folder = None
        return web.json_response(await self._run.state(folder))

    async def start(self, request: web.Request) -> web.Response:
        await body_of(request)
        status = request.app[ROBOT].status
        if status is not None and len(status.labels) < 2:
            taught = 'only one class was' if status.labels else 'nothing was'
            raise RefusedError(
                409,
                f'{taught} taught, so there is nothing to tell apart: hold the button of a class '
                'to teach it, then analyse again',
            )
        is_new = self._run.start(await data_folder(request))
        message = 'The analysis has started.' if is_new else 'An analysis is running already.'
        return web.json_response({'message': message}, status=202)
