# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""AnnotatedPictures: publishes the topics ``~/<camera>/annotated/compressed``."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
import threading
import time

from edgetpu_retrain.errors import in_words
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.node.health.fault_counter import FaultCounter
from edgetpu_retrain.pictures.annotation import annotated_jpeg, Annotation, FrameRate
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CompressedImage

_DEPTH = 2


class AnnotatedPictures:
    """
    Publishes images with their classification drawn on them, on topics that have subscribers.

    Drawing and JPEG compression can take longer than inference, so a separate thread does them,
    and only for the newest frame of each camera.

    Args:
        node: creates the publishers.
        cameras: names of the cameras.
    """

    def __init__(self, node: Node, cameras: Iterable[str]) -> None:
        self._node = node
        self._publishers = {
            name: node.create_publisher(
                CompressedImage, f'~/{name}/annotated/compressed', QoSProfile(depth=_DEPTH)
            )
            for name in cameras
        }
        self._rates = {name: FrameRate() for name in self._publishers}
        self._faults = FaultCounter(lambda text: node.get_logger().error(text))
        self._newest: dict[str, tuple[Frame, Annotation]] = {}
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, 'annotations')

    def close(self) -> None:
        """Discard queued frames, wait for the thread, and destroy the publishers."""
        self._thread.shutdown(cancel_futures=True)
        for publisher in self._publishers.values():
            self._node.destroy_publisher(publisher)

    def add(self, frame: Frame, annotation: Annotation) -> None:
        """
        Queue a classified frame, in place of an older frame of its camera that is not drawn yet.

        Without subscribers, the frame is only counted for the frame rate.

        Args:
            frame: the frame.
            annotation: the frame's classification; this method fills in region and frame rate.
        """
        rate = self._rates[frame.camera].add(time.monotonic())
        if not self._publishers[frame.camera].get_subscription_count():
            return
        annotation = replace(annotation, frames_per_second=rate, region=frame.region)
        with self._lock:
            # Queue at most one task per camera, so that a fast camera cannot block a slow one.
            if frame.camera not in self._newest:
                self._thread.submit(self._draw_newest, frame.camera)
            self._newest[frame.camera] = frame, annotation

    def _draw_newest(self, camera: str) -> None:
        with self._lock:
            frame, annotation = self._newest.pop(camera)
        try:
            self._publish(frame, annotation)
        except Exception as error:  # noqa: BLE001 - nobody reads the future of this task
            if self._node.context.ok():
                self._faults.add(camera, 'frame not drawn', in_words(error))

    def _publish(self, frame: Frame, annotation: Annotation) -> None:
        message = CompressedImage(header=frame.message.header, format='jpeg')
        message.data = annotated_jpeg(frame.picture.whole, annotation)
        self._publishers[frame.camera].publish(message)
