# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Access of the routes to the node: its services, parameters and data folder."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from aiohttp import web
from edgetpu_retrain.client import RetrainClient
from edgetpu_retrain.page.app_keys import LIVE, OPTIONS, ROBOT
from edgetpu_retrain.store.files.folder_in_use import folder_in_use
from rcl_interfaces.srv import GetParameters


async def call(request: web.Request, service_type: Any, service: str, **fields: Any) -> Any:
    """
    Call a service of the node, and return the response.

    Raises:
        RefusedError: if the node is not running.
        RetrainClientError: if the node rejects the request, or does not respond.
    """
    robot = request.app[ROBOT]
    return await robot.call(RetrainClient.call, service_type, service, **fields)


def announce(request: web.Request, *kinds: str) -> None:
    """Make all pages reload what has changed: 'samples', 'questions' or 'models'."""
    request.app[LIVE].changed(*kinds)


async def parameters(request: web.Request, *names: str) -> dict[str, str]:
    """Return string parameters of the node by name; '' if a parameter is not set."""
    response = await call(request, GetParameters, 'get_parameters', names=list(names))
    return {name: value.string_value for name, value in zip(names, response.values, strict=True)}


async def data_folder(request: web.Request) -> Path:
    """
    Return the node's data folder.

    Raises:
        RefusedError, RetrainClientError: as :func:`call`.
        StoreError: if no node on this machine uses the folder.
    """
    given = request.app[OPTIONS].data_dir
    parameter = given or (await parameters(request, 'data_dir'))['data_dir']
    loop = asyncio.get_running_loop()
    robot = request.app[ROBOT].name
    return await loop.run_in_executor(None, folder_in_use, parameter, robot, 'the page')
