# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
What rclpy of ROS 2 Humble (3.3) lacks, by means that it has.

All later distributions have the methods themselves.  This module can go when Humble does, in
May 2027.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.subscription import Subscription


def after_parameters_are_set(node: Node, callback: Callable[[list[Any]], None]) -> None:
    """
    Let a callback be called whenever parameters of a node were set.

    With Humble the executor calls it next, and also when the change was refused.

    Args:
        node: has an executor, or nothing is called with Humble.
        callback: takes the parameters that changed; reads what they are now from the node.
    """
    if hasattr(node, 'add_post_set_parameters_callback'):
        node.add_post_set_parameters_callback(callback)
        return

    def call_later(changes: list[Any]) -> SetParametersResult:
        # What is called here is asked before the change is made.
        if node.executor is not None:
            node.executor.create_task(callback, changes)
        return SetParametersResult(successful=True)

    node.add_on_set_parameters_callback(call_later)


def publisher_count(node: Node, subscription: Subscription) -> int:
    """
    Return how many publishers a subscription is matched with.

    With Humble also those count whose quality of service does not fit.

    Args:
        node: whose subscription it is.
        subscription: of any topic.
    """
    if hasattr(subscription, 'get_publisher_count'):
        return int(subscription.get_publisher_count())
    return int(node.count_publishers(subscription.topic_name))
