# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
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
