# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Workarounds for rclpy of ROS 2 Jazzy (7.1) and Humble (3.3).

Later distributions do not need the workarounds.  Remove each workaround when support ends:
for Humble in May 2027, for Jazzy in May 2029.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgetpu_retrain.node.parameters.declaration import has_value
from edgetpu_retrain.processes.joining import joining_domain
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import SetParametersResult
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from rclpy.subscription import Subscription

# rclpy does not export its RCLError, which is a RuntimeError in every distribution.
_RclError = RuntimeError


def create_lifecycle_node(name: str) -> LifecycleNode:
    """
    Return a new lifecycle node that rejects a request for an impossible transition.

    An example is a request to activate an unconfigured node.  Up to Jazzy, rclpy raises an
    exception in the executor, which would end the process.  From Kilted on, rclpy rejects the
    request (rclpy/lifecycle/node.py, ``__change_state``).

    Args:
        name: the node's name.

    Raises:
        NodeError: if the middleware rejects the node, for example because SROS 2 keys are missing.
    """
    with joining_domain():
        node = LifecycleNode(name)
    (service,) = (each for each in node.services if each.srv_type is ChangeState)
    change_state = service.callback

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

    service.callback = respond
    return node


def after_parameters_are_set(node: Node, callback: Callable[[list[Any]], object]) -> None:
    """
    Call a function whenever parameters of a node have been set.

    On Humble, the node's executor calls the function later, with those parameters that still have
    the values of the request.

    Args:
        node: the node; on Humble, it must be in an executor.
        callback: called with the parameters that have been set.
    """
    if hasattr(node, 'add_post_set_parameters_callback'):
        node.add_post_set_parameters_callback(callback)
        return

    def call(changes: list[Any]) -> None:
        if have_been_set := [each for each in changes if has_value(node, each)]:
            callback(have_been_set)

    def call_later(changes: list[Any]) -> SetParametersResult:
        # The parameters still have their old values here, and the request may be rejected.
        if node.executor is not None:
            node.executor.create_task(call, changes)
        return SetParametersResult(successful=True)

    node.add_on_set_parameters_callback(call_later)


def publisher_count(node: Node, subscription: Subscription) -> int:
    """
    Return the number of publishers that match a subscription.

    On Humble, this includes publishers with incompatible QoS.

    Args:
        node: the node that created the subscription.
        subscription: the subscription.
    """
    if hasattr(subscription, 'get_publisher_count'):
        return int(subscription.get_publisher_count())
    return int(node.count_publishers(subscription.topic_name))
