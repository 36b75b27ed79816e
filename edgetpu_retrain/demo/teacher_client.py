# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The teacher's ROS client, with blocking calls.

It uses only the services, action and topics of the retrain node, and the parameter ``scene`` of
the camera node.
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
"""Timeout for requests that take milliseconds if the machine is idle, seconds."""

_RETRY_S = 2.0
"""Time after which a request without side effects is repeated, seconds."""


class LessonError(RetrainError):
    """A request of the teacher timed out or was rejected."""


class TeacherClient:
    """
    Calls the services and the action, and passes on the messages of the exam.

    Args:
        on_truth: called with the true class of each frame of the exam, a
            vision_msgs/Classification.
        on_classification: called with each classification, a vision_msgs/Classification.
        on_image: called with each image of the camera, a sensor_msgs/Image.
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
        # Subscribe long before the exam, because discovery takes some time and a late subscriber
        # misses the first frames.
        for message_type, topic, callback, qos in (
            (Classification, TEACHING_TRUTH_TOPIC, self._on_teaching_truth, reliable),
            (Classification, EXAM_TRUTH_TOPIC, on_truth, reliable),
            (Classification, f'/{RETRAIN_NODE}/classification', on_classification, reliable),
            (Image, IMAGE_TOPIC, on_image, qos_profile_sensor_data),
        ):
            node.create_subscription(message_type, topic, callback, qos)

    def wait_until_ready(self, timeout_s: float) -> None:
        """
        Wait until the camera and the retrain node respond to this client.

        Args:
            timeout_s: timeout, seconds.

        Raises:
            LessonError: if one of them does not respond in time.
        """
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
        Wait until a node can respond to all clients of this process; return False on timeout.

        A response is lost if the node has not yet discovered the client.  Clients are discovered
        in the order of their creation, so a node that responds to a new client can respond to all.
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
        """Set the camera's scene; return when the camera has accepted it, or raise LessonError."""
        value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=scene)
        request = SetParameters.Request(parameters=[Parameter(name=SCENE_PARAMETER, value=value)])
        result = self._call(self._scene, request, f'showing {scene!r}').results[0]
        if not result.successful:
            raise LessonError(f'the camera rejected the scene {scene!r}: {result.reason}')

    def show_subject(self, subject: str) -> None:
        """Show a subject; return when its first picture was published, or raise LessonError."""
        self._taught_subject = ''
        self.show(teaching_scene(subject))
        if not self.spin_until(lambda: self._taught_subject == subject, _PATIENCE_S):
            raise LessonError(f'no picture of {subject!r} within {_PATIENCE_S:.0f} s')

    def add_samples(self, label: str, count: int, timeout_s: float) -> Any:
        """
        Add samples from the next frames.

        Args:
            label: class name.
            count: number of frames.
            timeout_s: time limit of the request, seconds.

        Returns:
            The ``AddSample.Response``.

        Raises:
            LessonError: if the request times out or fails.
        """
        request = AddSample.Request(label=label, count=count, timeout_s=timeout_s)
        response = self._call(self._add, request, f'labelling {label!r}', timeout_s)
        if not response.success:
            raise LessonError(f'~/add_samples for {label!r} failed: {response.message}')
        return response

    def train(self, on_feedback: Callable[[Any], None], timeout_s: float) -> Any:
        """
        Train with the node's parameters.

        Args:
            on_feedback: called with each ``Train.Feedback``.
            timeout_s: timeout of the training, seconds.

        Returns:
            The ``Train.Result``.

        Raises:
            LessonError: if the training times out or fails.
        """
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
        """Spin until ``done`` returns True; return False on timeout."""
        return spin_until(self._executor, done, timeout_s)

    def close(self) -> None:
        """Destroy the node, its executor and the action client."""
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
    """Return the stamp of a ``std_msgs/Header`` in nanoseconds."""
    return int(header.stamp.sec) * 1_000_000_000 + int(header.stamp.nanosec)
