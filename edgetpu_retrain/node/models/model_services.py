# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The service ~/load_model: back to an older model, or forward again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgetpu_retrain.node.active_parts import ActiveParts
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.node.requests.background_thread import BackgroundThread
from edgetpu_retrain.node.requests.responses import ServiceResponses
from edgetpu_retrain_interfaces.srv import LoadModel
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node


class ModelServices:
    """
    Serves ``~/load_model``; a thread loads the model, so that frames go on meanwhile.

    Args:
        node: whose service it is.
        active: returns what requests work with, or raises RequestError unless the node is active.
    """

    def __init__(self, node: Node, active: Callable[[], ActiveParts]) -> None:
        self._active = active
        self._responses = ServiceResponses(node)
        self._thread = BackgroundThread('models')
        node.create_service(
            LoadModel,
            '~/load_model',
            self._load_model,
            callback_group=ReentrantCallbackGroup(),
        )

    def stop(self) -> None:
        """Wait until all requested models are loaded."""
        self._thread.stop()

    async def _load_model(self, request: Any, response: Any) -> Any:
        return await self._responses.fill(response, self._load(request, response))

    async def _load(self, request: Any, response: Any) -> str:
        versions = self._active().versions
        try:
            loading = self._thread.submit(versions.load, request.version)
            loaded = await self._responses.result_of(loading)
        finally:
            _fill_serving_model(versions.serving, response)
        return f'Model version {loaded.version} serves ({loaded.path})'


def _fill_serving_model(serving: LoadedModel | None, response: Any) -> None:
    if serving is not None:
        response.model_version = serving.version.version
        response.model_path = str(serving.version.path)
        response.labels = list(serving.labels)
