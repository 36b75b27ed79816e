# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Joins a ROS domain: turns what ROS raises at a program's start into errors for the user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from edgetpu_retrain.errors import NodeError, RequestError
from rclpy.context import Context
from rclpy.utilities import get_default_context


@contextmanager
def initializing() -> Iterator[None]:
    """
    Turn what ``rclpy.init`` or ``remove_ros_args`` raises into an error for the user.

    Raises:
        RequestError: if a ROS argument, a parameter file or the name of an enclave is invalid.
    """
    try:
        yield
    except RuntimeError as error:  # rclpy does not export its RCLError
        raise RequestError(_one_line(error)) from error


@contextmanager
def joining_domain(context: Context | None = None) -> Iterator[None]:
    """
    Turn what the creation of a node raises into an error for the user.

    Args:
        context: the context of the node; None = the default context.

    Raises:
        NodeError: if the middleware rejects the node, for example because SROS 2 keys are missing.
    """
    try:
        yield
    except RuntimeError as error:  # as above
        # A signal can shut ROS down at any time; calls to rclpy then fail.
        if not (context or get_default_context()).ok():
            raise
        raise NodeError(
            f'the node cannot join its ROS domain ({_one_line(error)}): where SROS 2 is on, check '
            'ROS_SECURITY_KEYSTORE and the enclave'
        ) from error


def _one_line(error: RuntimeError) -> str:
    return ' '.join(str(error).split())
