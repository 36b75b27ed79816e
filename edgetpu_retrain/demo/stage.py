# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Stage: sets the scene of the demo's camera node, and receives the camera node's messages."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Any

from edgetpu_retrain.demo.scenes import (
    CAMERA_NODE,
    EXAM_FRAMES,
    EXAM_TRUTH_TOPIC,
    IMAGE_TOPIC,
    SCENE_IDLE,
    SCENE_PARAMETER,
    teaching_scene,
    TEACHING_TRUTH_TOPIC,
)
from edgetpu_retrain.errors import RetrainError
from edgetpu_retrain.processes.spinning import spin_until
from rcl_interfaces.srv import SetParameters
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data, QoSProfile
from sensor_msgs.msg import Image
from vision_msgs.msg import Classification

_PATIENCE_S = 60.0
"""Timeout for requests that take milliseconds on an idle machine, seconds."""

_RETRY_S = 2.0
"""Time to wait for a response before an idempotent request is repeated, seconds."""


class StageError(RetrainError):
    """The camera does not respond, or it rejected a scene."""


class Stage:
    """
    Controls the camera node, and passes its messages to callbacks.

    Args:
        on_truth: called with each true class of the exam, a vision_msgs/Classification.
        on_image: called with each sensor_msgs/Image of the camera.
        namespace: namespace of the camera node; '' = the default namespace.

    Attributes:
        node: the ROS node with the subscriptions.
    """

    def __init__(
        self,
        on_truth: Callable[[Any], None],
        on_image: Callable[[Any], None],
        namespace: str = '',
    ) -> None:
        self.node = rclpy.create_node('demo_teacher', namespace=namespace or None)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._taught_subject = ''
        reliable = QoSProfile(depth=EXAM_FRAMES)
        create = self.node.create_subscription
        create(Classification, TEACHING_TRUTH_TOPIC, self._on_teaching_truth, reliable)
        create(Classification, EXAM_TRUTH_TOPIC, on_truth, reliable)
        create(Image, IMAGE_TOPIC, on_image, qos_profile_sensor_data)
        # Create the client last: if the camera responds to the client, it has also discovered the
        # subscriptions.
        self._scene = self.node.create_client(SetParameters, f'{CAMERA_NODE}/set_parameters')

    def wait_until_ready(self, timeout_s: float) -> None:
        """Wait until the camera has set the scene ``idle``; raise StageError on timeout."""
        deadline = time.monotonic() + timeout_s
        asked: list[Any] = []
        while time.monotonic() < deadline:
            if not self._scene.wait_for_service(max(0.0, deadline - time.monotonic())):
                continue
            # A response is lost if the camera has not discovered this client yet.
            asked.append(self._request(SCENE_IDLE))
            if self.spin_until(lambda: any(each.done() for each in asked), _RETRY_S):
                return
        raise StageError(f'the camera was not ready after {timeout_s:.0f} s')

    def show(self, scene: str) -> None:
        """Set the scene; raise StageError if the camera rejects it or does not respond."""
        asked = self._request(scene)
        if not self.spin_until(asked.done, _PATIENCE_S):
            raise StageError(f'the camera did not respond within {_PATIENCE_S:.0f} s')
        result = asked.result().results[0]
        if not result.successful:
            raise StageError(f'the camera rejected the scene {scene!r}: {result.reason}')

    def _request(self, scene: str) -> Any:
        """Request a scene, and return rclpy's future of the response."""
        parameter = Parameter(SCENE_PARAMETER, value=scene).to_parameter_msg()
        return self._scene.call_async(SetParameters.Request(parameters=[parameter]))

    def show_subject(self, subject: str) -> None:
        """
        Show a subject for teaching, and wait for its first picture.

        Raises:
            StageError: if the camera does not respond, rejects the scene or sends no picture.
        """
        self._taught_subject = ''
        self.show(teaching_scene(subject))
        if not self.spin_until(lambda: self._taught_subject == subject, _PATIENCE_S):
            raise StageError(f'no picture of {subject!r} within {_PATIENCE_S:.0f} s')

    def spin_until(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """Spin until ``done`` returns True; return False on timeout."""
        return spin_until(self._executor, done, timeout_s)

    def close(self) -> None:
        """Destroy the executor and the node."""
        self._executor.shutdown()
        self.node.destroy_node()

    def _on_teaching_truth(self, truth: Any) -> None:
        self._taught_subject = truth.results[0].class_id


def stamp_ns(header: Any) -> int:
    """Return the stamp of a std_msgs/Header in nanoseconds."""
    return int(header.stamp.sec) * 1_000_000_000 + int(header.stamp.nanosec)
