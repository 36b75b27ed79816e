# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The person at the robot: cameras, subscriptions, services and trainings, over DDS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from action_msgs.msg import GoalStatus
from edgetpu_retrain_interfaces.msg import Embedding
from sensor_msgs.msg import Image
from support.robot_camera import Camera, Detector
from support.robot_messages import stamp_ns
from support.robot_requests import RobotRequests
from support.waiting import Collected, wait_for
from vision_msgs.msg import Classification


class Person(RobotRequests):
    """
    A ROS node in this process with cameras, which teaches, trains and subscribes.

    Args:
        retrain_node: full name of the retrain node.
    """

    def __init__(self, retrain_node: str = '/edgetpu_retrain') -> None:
        super().__init__('person', retrain_node)
        self.classifications: Collected[Any] = Collected()
        self._cameras: list[Camera] = []
        self._subscriptions: list[Any] = []
        self.node.create_subscription(
            Classification, f'{retrain_node}/classification', self.classifications.append, 10
        )
        self.spin_in_a_thread()

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the cameras and destroy the node."""
        self.close_cameras()
        super().close()

    def wait_until_ready(self) -> Person:
        """Wait until the node responds, whatever its state is."""
        assert self.state
        return self

    def camera(self, topic: str = '/image', message_type: type = Image) -> Camera:
        """Return a new camera."""
        camera = Camera(self.node, topic, message_type)
        self._cameras.append(camera)
        return camera

    def detector(
        self, image_topic: str, topic: str = '/boxes', message_type: type = Image
    ) -> Detector:
        """Return a new detector."""
        detector = Detector(self.node, image_topic, topic, message_type)
        self.executor.wake()
        return detector

    def close_cameras(self) -> None:
        """Close all cameras."""
        while self._cameras:
            publisher = self._cameras.pop().stop()
            self._destroy(self.node.destroy_publisher, publisher)

    def collect(self, message_type: type, topic: str, qos: Any = 100) -> Collected[Any]:
        """Subscribe to a topic, absolute or relative to the node, and return its messages."""
        collected: Collected[Any] = Collected()
        name = topic if topic.startswith('/') else f'{self.retrain_node}/{topic}'
        self._subscriptions.append(
            self.node.create_subscription(message_type, name, collected.append, qos)
        )
        self.executor.wake()
        return collected

    def stop_listening(self) -> None:
        """Destroy the subscriptions of :meth:`collect`."""
        while self._subscriptions:
            self._destroy(self.node.destroy_subscription, self._subscriptions.pop())

    def show(self, camera: Camera, message: Any) -> None:
        """
        Publish a message, and return when the node has seen an image of it.

        The node has then discovered the camera, and none of the images before is on its way.
        """
        since = camera.show(message)
        embeddings = self.collect(Embedding, 'embedding')
        embeddings.wait_for(lambda each: stamp_ns(each.header) >= since)
        self._destroy(self.node.destroy_subscription, self._subscriptions.pop())

    def _destroy(self, destroy: Callable[[Any], Any], entity: Any) -> None:
        # In the thread that waits for all entities, and for events of publishers as well: rclpy
        # raises InvalidHandle in it otherwise.
        wait_for(self.executor.create_task(destroy, entity))

    def teach(self, camera: Camera, pictures: Mapping[str, Any], count: int = 6) -> None:
        """Publish a picture of each class and capture samples of it."""
        for label, message in pictures.items():
            self.show(camera, message)
            response = self.add(label, count=count)
            assert response.success, response.message

    def teach_and_train(self, camera: Camera, pictures: Mapping[str, Any], count: int = 6) -> None:
        """Capture samples of each class and train, so that the node serves a model of them."""
        self.teach(camera, pictures, count)
        status, result = self.train(num_iter=300, learning_rate=0.1)
        assert status == GoalStatus.STATUS_SUCCEEDED, result.message
