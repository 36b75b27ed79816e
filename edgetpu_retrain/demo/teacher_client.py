# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The teacher's ROS client, with blocking calls.

It uses only the retrain node's public services, action and topics, and the camera node's parameter
``scene``.
"""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Any

from edgetpu_retrain.demo.scenes import (
    CAMERA_NODE,
    EXAM_FRAMES,
    EXAM_TRUTH_TOPIC,
    IMAGE_TOPIC,
    RETRAIN_NODE,
    SCENE_PARAMETER,
    teaching_scene,
    TEACHING_TRUTH_TOPIC,
)
from edgetpu_retrain.errors import RetrainError
from edgetpu_retrain.processes.spinning import spin_until
from edgetpu_retrain_interfaces.action import Train
from edgetpu_retrain_interfaces.srv import AddSample
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParameters
import rclpy
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import qos_profile_sensor_data, QoSProfile
from sensor_msgs.msg import Image
from vision_msgs.msg import Classification

_PATIENCE_S = 20.0
"""Timeout for requests that take milliseconds on an idle machine, seconds."""

_RETRY_S = 2.0
"""Interval for repeating a request without side effects, seconds."""


class LessonError(RetrainError):
    """Raised if a request of the teacher times out or is rejected."""


class TeacherClient:
    """
    Calls services and the action, and forwards the messages of the exam.

    Args:
        on_truth: called with each true class of the exam, a vision_msgs/Classification.
        on_classification: called with each classification, a vision_msgs/Classification.
        on_image: called with each sensor_msgs/Image.
    """

    def __init__(
        self,
        on_truth: Callable[[Any], None],
        on_classification: Callable[[Any], None],
        on_image: Callable[[Any], None],
    ) -> None:
        self._node = node = rclpy.create_node('demo_teacher')
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self._scene = node.create_client(SetParameters, f'/{CAMERA_NODE}/set_parameters')
        self._add = node.create_client(AddSample, f'/{RETRAIN_NODE}/add_samples')
        self._train = ActionClient(node, Train, f'/{RETRAIN_NODE}/train')
        self._taught_subject = ''
        reliable = QoSProfile(depth=EXAM_FRAMES)
        # Subscribe before the exam starts: DDS discovery takes a moment, and a late subscriber
        # would miss the first frames.
        for message_type, topic, callback, qos in (
            (Classification, TEACHING_TRUTH_TOPIC, self._on_teaching_truth, reliable),
            (Classification, EXAM_TRUTH_TOPIC, on_truth, reliable),
            (Classification, f'/{RETRAIN_NODE}/classification', on_classification, reliable),
            (Image, IMAGE_TOPIC, on_image, qos_profile_sensor_data),
        ):
            node.create_subscription(message_type, topic, callback, qos)

    def wait_until_ready(self, timeout_s: float) -> None:
        """Wait until the services and the action of camera and retrain node are available."""
        deadline = time.monotonic() + timeout_s
        for name, wait in (
            ('camera', self._scene.wait_for_service),
            ('retrain node', self._add.wait_for_service),
            ('retrain node', self._train.wait_for_server),
        ):
            if not wait(timeout_sec=max(0.0, deadline - time.monotonic())):
                raise LessonError(f'the {name} was not ready after {timeout_s:.0f} s')
        for name in (CAMERA_NODE, RETRAIN_NODE):
            if not self._responds(name, deadline):
                raise LessonError(f'{name} did not respond within {timeout_s:.0f} s')

    def _responds(self, name: str, deadline: float) -> bool:
        """
        Wait until a node can respond to all clients of this process.

        A response is lost if the service has not yet discovered the client's reader.  Readers are
        announced reliably and in order of creation: a node that responds to the newest client can
        respond to all.
        """
        newest = self._node.create_client(GetParameters, f'/{name}/get_parameters')
        if not newest.wait_for_service(timeout_sec=max(0.0, deadline - time.monotonic())):
            return False
        while time.monotonic() < deadline:
            response = newest.call_async(GetParameters.Request())
            if self.spin_until(response.done, _RETRY_S):
                return True
        return False

    def show(self, scene: str) -> None:
        """Set the camera's scene, and return after it has acknowledged it."""
        value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=scene)
        request = SetParameters.Request(parameters=[Parameter(name=SCENE_PARAMETER, value=value)])
        result = self._call(self._scene, request, f'showing {scene!r}').results[0]
        if not result.successful:
            raise LessonError(f'the camera rejected the scene {scene!r}: {result.reason}')

    def show_subject(self, subject: str) -> None:
        """Show a subject, and return after its first pictures have arrived."""
        self._taught_subject = ''
        self.show(teaching_scene(subject))
        if not self.spin_until(lambda: self._taught_subject == subject, _PATIENCE_S):
            raise LessonError(f'no picture of {subject!r} within {_PATIENCE_S:.0f} s')

    def add_samples(self, label: str, count: int, timeout_s: float) -> Any:
        """Label the next `count` frames and return the response of ~/add_samples."""
        request = AddSample.Request(label=label, count=count, timeout_s=timeout_s)
        response = self._call(self._add, request, f'labelling {label!r}', timeout_s)
        if not response.success:
            raise LessonError(f'~/add_samples for {label!r} failed: {response.message}')
        return response

    def train(self, on_feedback: Callable[[Any], None], timeout_s: float) -> Any:
        """Train with the node's own parameters and return the result of ~/train."""
        accepted = self._train.send_goal_async(
            Train.Goal(), feedback_callback=lambda message: on_feedback(message.feedback)
        )
        goal = self._wait(accepted, 'starting the training', _PATIENCE_S)
        if not goal.accepted:
            raise LessonError('~/train did not accept the goal; see the log of the retrain node')
        result = self._wait(goal.get_result_async(), 'the training', timeout_s).result
        if not result.success:
            raise LessonError(f'~/train failed: {result.message}')
        return result

    def spin_until(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """Spin until `done` returns True; return False on timeout."""
        return spin_until(self._executor, done, timeout_s)

    def close(self) -> None:
        """Disconnect."""
        self._train.destroy()
        self._executor.shutdown()
        self._node.destroy_node()

    def _on_teaching_truth(self, truth: Any) -> None:
        self._taught_subject = truth.results[0].class_id

    def _call(self, client: Any, request: Any, what: str, extra_s: float = 0.0) -> Any:
        return self._wait(client.call_async(request), what, _PATIENCE_S + extra_s)

    def _wait(self, future: Any, what: str, timeout_s: float) -> Any:
        if not self.spin_until(future.done, timeout_s):
            raise LessonError(f'{what} took longer than {timeout_s:.0f} s')
        return future.result()


def stamp_ns(header: Any) -> int:
    """Return the stamp of a std_msgs/Header, nanoseconds."""
    return int(header.stamp.sec) * 1_000_000_000 + int(header.stamp.nanosec)
