# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""FleetNode: a ROS node that reads the retrain node's parameters and publishes diagnostics."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
import contextlib
import threading

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from edgetpu_retrain.client.connection import Connection
from edgetpu_retrain.fleet.robot.node_settings import NodeSettings
from edgetpu_retrain.fleet.ros_parameters import read_parameters
import edgetpu_retrain.needs_ros  # noqa: F401
from edgetpu_retrain.processes.joining import initializing, joining_domain
from edgetpu_retrain.wording import presentable
from rcl_interfaces.srv import GetParameters
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

NODE_NAME = 'edgetpu_retrain_fleet'

_TIMEOUT_S = 5.0
_DIAGNOSTICS = 10

# The requested parameters of the retrain node: strings, which are fields of NodeSettings; a
# boolean; and an integer.
_TEXTS = ('data_dir', 'extractor', 'input_range', 'input_size', 'model_output')
_FOLLOW, _KEEP = 'follow_models', 'keep_models'


class FleetNode:
    """
    Requests the retrain node's parameters, and publishes diagnostics.

    The executor of the ROS node runs in a thread of its own.

    Args:
        arguments: ROS arguments; None = ``sys.argv``.

    Attributes:
        parameters: the values of this node's parameters.
        name: full name of the node.
        retrain_node: full name of the retrain node.

    Raises:
        RequestError: if a ROS argument or the value of a parameter is invalid.
        NodeError: if the middleware rejects the node.
    """

    def __init__(self, arguments: list[str] | None = None) -> None:
        self._context = rclpy.Context()
        with initializing():
            rclpy.init(args=arguments, context=self._context)
        with joining_domain(self._context):
            self._node = rclpy.create_node(NODE_NAME, context=self._context)
        self.parameters = read_parameters(self._node)
        self.name = self._node.get_fully_qualified_name()
        self._publisher = self._node.create_publisher(
            DiagnosticArray, '/diagnostics', _DIAGNOSTICS
        )
        self._connection = Connection(self._node, self.parameters.retrain_node, _TIMEOUT_S)
        self._connection.start()
        self.retrain_node = self._connection.name
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._spin, name='ros', daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the threads, and destroy the node."""
        self._executor.create_task(self._ending.set)
        self._thread.join()
        self._executor.shutdown()
        self._connection.stop()
        self._connection.close()
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def log(self, severity: str, words: str) -> None:
        """Write a line to the log; the severity is 'info', 'warning' or 'error'."""
        logger = self._node.get_logger()
        # rclpy raises an error if the same line of code logs with different severities.
        if severity == 'info':
            logger.info(presentable(words))
        elif severity == 'warning':
            logger.warning(presentable(words))
        else:
            logger.error(presentable(words))

    async def ask(self) -> tuple[NodeSettings, bool, int]:
        """
        Request the parameters of the retrain node.

        Returns:
            The settings that a member needs, and the values of follow_models and keep_models.

        Raises:
            RetrainClientError: if the retrain node does not respond.
        """
        names = [*_TEXTS, _FOLLOW, _KEEP]

        def ask() -> list[object]:
            request = GetParameters.Request(names=names)
            future = self._connection.call(GetParameters, 'get_parameters', request)
            return list(self._connection.wait(future, 'get_parameters', _TIMEOUT_S).values)

        values = dict(zip(names, await asyncio.to_thread(ask), strict=False))
        texts = {each: str(getattr(values.get(each), 'string_value', '')) for each in _TEXTS}
        return (
            NodeSettings(self.retrain_node, **texts),
            bool(getattr(values.get(_FOLLOW), 'bool_value', False)),
            int(getattr(values.get(_KEEP), 'integer_value', 0)),
        )

    def publish(self, message: str, problem: str, values: Mapping[str, object]) -> None:
        """
        Publish the diagnostics, with level WARN if there is a problem.

        Args:
            message: the state, which is published only if there is no problem.
            problem: what is wrong; '' = nothing.
            values: further values, by name.
        """
        status = DiagnosticStatus(
            name=f'{self.name}: fleet',
            hardware_id=self.retrain_node,
            level=DiagnosticStatus.WARN if problem else DiagnosticStatus.OK,
            message=presentable(problem or message),
            values=[KeyValue(key=key, value=str(each)) for key, each in values.items()],
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            while not self._ending.is_set():
                self._executor.spin_once()
