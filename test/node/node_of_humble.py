# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The node's program for tests, on an rclpy that lacks what Humble's lacks."""

from __future__ import annotations

import sys

from edgetpu_retrain.node.main import main
from rclpy.node import Node
from rclpy.subscription import Subscription

LACKING = ((Node, 'add_post_set_parameters_callback'), (Subscription, 'get_publisher_count'))

if __name__ == '__main__':
    for owner, method in LACKING:
        if hasattr(owner, method):
            delattr(owner, method)
    sys.exit(main())
