# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A lifecycle node that survives what lifecycle clients may ask of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgetpu_retrain.errors import RequestError
from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node

# The exception of rcl has no public name in rclpy; it is a RuntimeError in every distribution.
_RclError = RuntimeError


def create_managed_node(name: str) -> LifecycleNode:
    """
    Return a lifecycle node that refuses a request for an impossible transition.

    In Jazzy such a request (to activate a node that is not configured, say) raises out of the
    executor and would end the process; from Kilted on rclpy answers it itself
    (rclpy/lifecycle/node.py, ``__change_state``).

    Args:
        name: of the node.

    Raises:
        RequestError: when the middleware refuses it, as it does without its keys.
    """
    try:
        node = LifecycleNode(name)
    except _RclError as error:
        raise RequestError(
            f'the node cannot join its ROS domain ({" ".join(str(error).split())}): where SROS 2 '
            'is on, check ROS_SECURITY_KEYSTORE and the enclave'
        ) from error
    for service in node.services:
        if service.srv_type is ChangeState:
            service.callback = _refusing(node, service.callback)
    return node


def _refusing(node: Node, change_state: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def respond(request: Any, response: Any) -> Any:
        try:
            return change_state(request, response)
        except _RclError as error:
            wanted = request.transition.label or request.transition.id
            node.get_logger().warning(
                f'transition {wanted} is not possible now: ask ros2 lifecycle list for those '
                f'that are ({" ".join(str(error).split())})'
            )
            response.success = False
            return response

    return respond
