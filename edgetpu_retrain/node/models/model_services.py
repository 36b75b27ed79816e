# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ModelServices: the service ~/load_model, which swaps in another version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgetpu_retrain.node.requests.background_thread import BackgroundThread
from edgetpu_retrain.node.requests.responses import result_of, ServiceResponses
from edgetpu_retrain.node.resources import NodeResources
from edgetpu_retrain_interfaces.srv import LoadModel
from rclpy.node import Node


class ModelServices:
    """
    The service ``~/load_model``; a background thread loads the model, without delaying frames.

    Args:
        node: creates the service.
        active: returns the node's resources; raises RequestError unless the node is active.
    """

    def __init__(self, node: Node, active: Callable[[], NodeResources]) -> None:
        self._node = node
        self._active = active
        self._thread = BackgroundThread('models')
        ServiceResponses(node).create_service(LoadModel, '~/load_model', self._load)

    def stop(self) -> None:
        """Wait until all requested models are loaded."""
        self._thread.stop()

    async def _load(self, request: Any, response: Any) -> str:
        versions = self._active().versions
        try:
            loading = self._thread.submit(versions.load, request.version)
            loaded = await result_of(self._node, loading)
        finally:
            if (serving := versions.serving) is not None:
                response.model_version = serving.version.version
                response.model_path = str(serving.version.path)
                response.labels = list(serving.labels)
        return f'Model version {loaded.version} serves ({loaded.path})'
