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
from typing import Any, Protocol

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
from edgetpu_retrain_interfaces.srv import AddSample, ListSamples
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParameters
import rclpy
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import qos_profile_sensor_data, QoSProfile
from rclpy.task import Future
from sensor_msgs.msg import Image
from vision_msgs.msg import Classification

_PATIENCE_S = 20.0
"""Timeout for requests that take milliseconds on an idle machine, seconds."""

_ASK_AGAIN_S = 2.0
"""Interval for repeating a request without side effects, seconds."""


class LessonError(RetrainError):
    """Raised if a request of the teacher times out or is rejected."""


class ExamListener(Protocol):
    """Callbacks for every frame of the exam."""

    def on_truth(self, truth: Any) -> None:
        """Handle a vision_msgs/Classification from the camera."""

    def on_answer(self, classification: Any) -> None:
        """Handle a vision_msgs/Classification from the retrain node."""

    def on_image(self, image: Any) -> None:
        """Handle a sensor_msgs/Image."""


class TeacherClient:
    """
    Calls services and the action, and forwards the messages of the exam.

    Args:
        listener: receives every frame, from the first one on.
    """

    def __init__(self, listener: ExamListener) -> None:
        """Connect to the camera and to the retrain node."""
        self._node = node = rclpy.create_node('demo_teacher')
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self._scene = node.create_client(SetParameters, f'/{CAMERA_NODE}/set_parameters')
        self._add = node.create_client(AddSample, f'/{RETRAIN_NODE}/add_samples')
        self._list = node.create_client(ListSamples, f'/{RETRAIN_NODE}/list_samples')
        self._train = ActionClient(node, Train, f'/{RETRAIN_NODE}/train')
        self._awaited: tuple[str, Future] | None = None
        reliable = QoSProfile(depth=EXAM_FRAMES)
        # Subscribe before the exam starts: DDS discovery takes a moment, and a late subscriber
        # would miss the first frames.
        for message_type, topic, callback, qos in (
            (Classification, TEACHING_TRUTH_TOPIC, self._on_teaching_truth, reliable),
            (Classification, EXAM_TRUTH_TOPIC, listener.on_truth, reliable),
            (Classification, f'/{RETRAIN_NODE}/classification', listener.on_answer, reliable),
            (Image, IMAGE_TOPIC, listener.on_image, qos_profile_sensor_data),
        ):
            node.create_subscription(message_type, topic, callback, qos)

    def wait_until_ready(self, timeout_s: float) -> None:
        """Wait until the services and the action of camera and retrain node are available."""
        deadline = time.monotonic() + timeout_s
        for name, wait in (
            ('camera', self._scene.wait_for_service),
            ('retrain node', self._list.wait_for_service),
            ('retrain node', self._add.wait_for_service),
            ('retrain node', self._train.wait_for_server),
        ):
            if not wait(timeout_sec=max(0.0, deadline - time.monotonic())):
                raise LessonError(f'the {name} was not ready after {timeout_s:.0f} s')
        for name in (CAMERA_NODE, RETRAIN_NODE):
            if not self._is_known_to(name, deadline):
                raise LessonError(f'{name} did not answer within {timeout_s:.0f} s')

    def _is_known_to(self, name: str, deadline: float) -> bool:
        """
        Wait until a node can respond to all clients of this process.

        A response is lost if the service has not yet discovered the client's reader.  Readers are
        announced reliably and in order of creation: a node that responds to the newest client can
        respond to all.
        """
        youngest = self._node.create_client(GetParameters, f'/{name}/get_parameters')
        if not youngest.wait_for_service(timeout_sec=max(0.0, deadline - time.monotonic())):
            return False
        while time.monotonic() < deadline:
            answer = youngest.call_async(GetParameters.Request())
            if spin_until(self._executor, answer.done, _ASK_AGAIN_S):
                return True
        return False

    def show(self, scene: str) -> None:
        """Set the camera's scene, and return after it has acknowledged it."""
        value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=scene)
        request = SetParameters.Request(parameters=[Parameter(name=SCENE_PARAMETER, value=value)])
        result = self._call(self._scene, request, f'showing {scene!r}').results[0]
        if not result.successful:
            raise LessonError(f'the camera refused the scene {scene!r}: {result.reason}')

    def show_subject(self, subject: str) -> None:
        """Show a subject, and return after its first pictures have arrived."""
        seen = Future()
        self._awaited = (subject, seen)
        self.show(teaching_scene(subject))
        self._wait(seen, f'a picture of {subject!r}', _PATIENCE_S)
        self._awaited = None

    def add_samples(self, label: str, count: int, timeout_s: float) -> Any:
        """Label the next `count` frames and return the response of ~/add_samples."""
        request = AddSample.Request(label=label, count=count, timeout_s=timeout_s)
        response = self._call(self._add, request, f'labelling {label!r}', timeout_s)
        if not response.success:
            raise LessonError(f'~/add_samples for {label!r} failed: {response.message}')
        return response

    def list_samples(self) -> dict[str, int]:
        """Return the node's number of samples per class."""
        response = self._call(self._list, ListSamples.Request(), 'listing samples')
        if not response.success:
            raise LessonError(f'~/list_samples failed: {response.message}')
        return dict(zip(response.labels, response.counts, strict=True))

    def train(self, on_feedback: Callable[[Any], None], timeout_s: float) -> Any:
        """Train with the node's own parameters and return the result of ~/train."""
        accepted = self._train.send_goal_async(
            Train.Goal(), feedback_callback=lambda message: on_feedback(message.feedback)
        )
        goal = self._wait(accepted, 'the training to start', _PATIENCE_S)
        if not goal.accepted:
            raise LessonError('~/train did not accept the goal; see the log of the retrain node')
        result = self._wait(goal.get_result_async(), 'the training to end', timeout_s).result
        if not result.success:
            raise LessonError(f'~/train failed: {result.message}')
        return result

    def spin_until(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """Spin until `done` returns True; return False on timeout."""
        deadline = time.monotonic() + timeout_s
        while not done():
            remaining = deadline - time.monotonic()
            if remaining <= 0.0:
                return False
            self._executor.spin_once(timeout_sec=min(remaining, 0.1))
        return True

    def close(self) -> None:
        """Disconnect."""
        self._train.destroy()
        self._executor.shutdown()
        self._node.destroy_node()

    def _on_teaching_truth(self, truth: Any) -> None:
        if self._awaited is None:
            return
        subject, seen = self._awaited
        if truth.results[0].class_id == subject and not seen.done():
            seen.set_result(True)

    def _call(self, client: Any, request: Any, what: str, extra_s: float = 0.0) -> Any:
        return self._wait(client.call_async(request), what, _PATIENCE_S + extra_s)

    def _wait(self, future: Any, what: str, timeout_s: float) -> Any:
        if not spin_until(self._executor, future.done, timeout_s):
            raise LessonError(f'waited {timeout_s:.0f} s for {what} in vain')
        return future.result()


def stamp_ns(header: Any) -> int:
    """Return the stamp of a std_msgs/Header, nanoseconds."""
    return int(header.stamp.sec) * 1_000_000_000 + int(header.stamp.nanosec)
