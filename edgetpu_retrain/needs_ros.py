# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Raises a clear error if ROS is missing; programs that need ROS import this module before rclpy.

``pip install`` installs the whole package, but without ROS the node, the client and the programs
that use them do not work.
"""

from importlib.util import find_spec

from edgetpu_retrain.errors import RosMissingError

if find_spec('rclpy') is None:
    raise RosMissingError(
        'the node and what talks to it need ROS 2, and Python cannot import rclpy: source ROS 2 '
        "and the workspace with this package, or run 'make setup' in its repository and activate "
        '.venv (the command line and the classes for Python work without ROS)'
    )
