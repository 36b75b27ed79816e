# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Feed: receives the newest images of a camera and their classifications."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Executor
import contextlib
from functools import partial
import time
from typing import Any

from edgetpu_retrain.page.live.messages import classification
from edgetpu_retrain.page.robot import Robot
from edgetpu_retrain.page.video.encoding import encode, Jpeg
from edgetpu_retrain.pictures.picture_source import PictureSource
from rclpy.qos import QoSProfile, QoSReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image

COMPRESSED = '/compressed'
"""Suffix of the topics of compressed images, as in image_transport."""

# Maximum number of stored images.
_FRAMES = 4
# Maximum number of stored classifications that arrived before their images.
_RESULTS = 8

# Upper limit of the time for which an image waits for its classification, seconds.
_MOST_PATIENCE_S = 0.4
# If no classification has arrived for this time, seconds, images do not wait for one.
_EXPECTED_S = 2.0

# If no image arrives for this time, seconds, the subscription is renewed, because a new publisher
# may have another QoS reliability.
_SILENCE_S = 2.0

# Time over which the rate of the images is measured, seconds.
_RATE_S = 2.0


class Frame:
    """
    An image of a camera.

    Args:
        message: the ``sensor_msgs/Image`` or ``CompressedImage``.
        encode: converts the message to a JPEG file with a maximum width in pixels.
        threads: the executor that runs ``encode``.

    Attributes:
        stamp_ns: stamp of the image, nanoseconds.
        arrived: time of arrival, seconds of ``time.monotonic``.
        result: the classification of the image; None = not yet received.
    """

    def __init__(self, message: Any, encode: Any, threads: Executor) -> None:
        stamp = message.header.stamp
        self.stamp_ns = stamp.sec * 10**9 + stamp.nanosec
        self.arrived = time.monotonic()
        self.result: dict[str, Any] | None = None
        self._encode = partial(encode, message)
        self._threads = threads
        self._jpegs: dict[int, asyncio.Future[Jpeg]] = {}

    async def jpeg(self, width: int) -> Jpeg:
        """
        Return the JPEG file, which is encoded once for all pages.

        Args:
            width: maximum width, pixels.

        Raises:
            ImageError: if the picture is not supported, or cannot be decoded.
        """
        if width not in self._jpegs:
            loop = asyncio.get_running_loop()
            self._jpegs[width] = loop.run_in_executor(self._threads, self._encode, width)
            # Retrieve the exception, because asyncio logs an exception that no page retrieves.
            self._jpegs[width].add_done_callback(lambda done: done.cancelled() or done.exception())
        # Several pages may wait for this file, so cancelling one must not cancel the future.
        return await asyncio.shield(self._jpegs[width])


class Feed:
    """
    Receives the newest images of a camera and their classifications.

    Args:
        robot: the robot.
        topic: topic of the images.
        threads: the executor that encodes images.

    Attributes:
        topic: topic of the images.
        viewers: number of pages that watch the camera; the caller counts them.
    """

    def __init__(self, robot: Robot, topic: str, threads: Executor) -> None:
        self.topic = topic
        self.viewers = 0
        self._robot = robot
        self._loop = asyncio.get_running_loop()
        self._is_compressed = topic.endswith(COMPRESSED)
        self._encode = partial(encode, source=PictureSource(), is_compressed=self._is_compressed)
        self._threads = threads
        self._frames: deque[Frame] = deque(maxlen=_FRAMES)
        self._results: deque[tuple[int, Any]] = deque(maxlen=_RESULTS)
        self._arrivals: deque[float] = deque(maxlen=100)
        self._last_result = float('-inf')
        self._delay = 0.0
        self._news = self._loop.create_future()
        self._subscription: Any = None

    async def subscribe(self) -> None:
        """Subscribe to the images, or renew the subscription."""
        await asyncio.wrap_future(self._robot.in_ros(self._subscribe))

    async def unsubscribe(self) -> None:
        """Unsubscribe from the images; do nothing without a subscription."""
        await asyncio.wrap_future(self._robot.in_ros(self._unsubscribe))

    @property
    def hz(self) -> float:
        """Number of images per second over the last two seconds, at most 50."""
        since = time.monotonic() - _RATE_S
        return sum(each > since for each in self._arrivals) / _RATE_S

    def classified(self, result: Any) -> None:
        """
        Store a ``Result`` of this camera; its image may arrive later.

        If several images have its stamp, as those of a driver that does not set stamps, it is
        stored for the newest one.
        """
        now = time.monotonic()
        self._last_result = now
        stamp = result.header.stamp
        stamp_ns = stamp.sec * 10**9 + stamp.nanosec
        for frame in reversed(self._frames):
            if frame.stamp_ns == stamp_ns:
                frame.result = classification(result)
                self._delay = now - frame.arrived
                self._notify()
                return
        self._results.append((stamp_ns, result))

    async def next_frame(self, after: Frame | None) -> Frame | None:
        """
        Wait for a new image and its classification, and return the image.

        Args:
            after: the last returned image; None = any image is new.

        Returns:
            The newest classified image, or the newest image if no classification arrives in time;
            None if nothing arrives for two seconds.
        """
        while (newest := self._newest(after)) is None:
            if not await self._wait(_SILENCE_S):
                await self.subscribe()
                return None
        deadline = newest.arrived + self._patience()
        while (classified := self._newest(after, is_classified=True)) is None:
            if (left := deadline - time.monotonic()) <= 0:
                return self._newest(after) or newest
            await self._wait(left)
        return classified

    def _newest(self, after: Frame | None, *, is_classified: bool = False) -> Frame | None:
        for frame in reversed(self._frames):
            if frame is after or (after is not None and frame.arrived < after.arrived):
                return None
            if frame.result is not None or not is_classified:
                return frame
        return None

    def _patience(self) -> float:
        if time.monotonic() - self._last_result > _EXPECTED_S:
            return 0.0
        return min(_MOST_PATIENCE_S, 2.0 * self._delay + 0.05)

    async def _wait(self, timeout_s: float) -> bool:
        """Wait for an image or a classification, and return whether one arrived in time."""
        done, _ = await asyncio.wait([self._news], timeout=timeout_s)
        return bool(done)

    def _notify(self) -> None:
        if not self._news.done():
            self._news.set_result(None)
        self._news = self._loop.create_future()

    def _receive(self, message: Any) -> None:
        frame = Frame(message, self._encode, self._threads)
        frame.result = self._early_result(frame.stamp_ns)
        self._frames.append(frame)
        self._arrivals.append(frame.arrived)
        self._notify()

    def _early_result(self, stamp_ns: int) -> dict[str, Any] | None:
        """Return the newest stored classification with a stamp, and drop it and older ones."""
        found = None
        while any(stamp == stamp_ns for stamp, _ in self._results):
            found = self._results.popleft()[1]
        return None if found is None else classification(found)

    # The methods below run in the thread of the ROS executor.

    def _subscribe(self) -> None:
        self._unsubscribe()
        node = self._robot.node
        publishers = node.get_publishers_info_by_topic(self.topic)
        reliable = QoSReliabilityPolicy.RELIABLE
        # Reliable if all publishers are, as in the retrain node: best effort loses large images
        # (docs/large_images.md).
        is_reliable = bool(publishers) and all(
            each.qos_profile.reliability is reliable for each in publishers
        )
        self._subscription = node.create_subscription(
            CompressedImage if self._is_compressed else Image,
            self.topic,
            self._arrive,
            QoSProfile(
                depth=1,
                reliability=reliable if is_reliable else QoSReliabilityPolicy.BEST_EFFORT,
            ),
        )

    def _unsubscribe(self) -> None:
        if self._subscription is not None:
            self._robot.node.destroy_subscription(self._subscription)
            self._subscription = None

    def _arrive(self, message: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop is closed
            self._loop.call_soon_threadsafe(self._receive, message)
