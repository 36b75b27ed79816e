# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A node that responds late to each request, as one on a busy machine may."""

from __future__ import annotations

from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.task import Future
from support.lone_node import LoneNode


class LateNode(LoneNode):
    """
    Responds to each request for a service after two more have arrived.

    Args:
        name: name of the node.
        service_type: type of the service; responses have the defaults of their fields.
        service: name of the service.
    """

    def __init__(self, name: str, service_type: Any, service: str) -> None:
        super().__init__(name, start_parameter_services=False)
        self._may_respond: list[Future] = []
        group = ReentrantCallbackGroup()
        self.node.create_service(service_type, service, self._respond, callback_group=group)
        self.spin_in_a_thread()

    def __enter__(self) -> LateNode:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _respond(self, _: Any, response: Any) -> Any:
        mine = Future()
        self._may_respond.append(mine)
        if len(self._may_respond) > 2:
            self._may_respond[-3].set_result(None)
        await mine
        return response
