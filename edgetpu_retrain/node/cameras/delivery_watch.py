# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""DeliveryWatch: detects that published images do not arrive."""

from __future__ import annotations

import threading

from edgetpu_retrain.node.cameras.frame_loss import FrameLoss, REPORTED_SHARE

SILENCE_S = 4.0
"""Time without an image, seconds, after which a problem is reported."""

# Tolerance of SILENCE_S, seconds.  The node checks once a second.  Without the tolerance, a check
# that comes slightly early would delay the report by a second.
_EARLY_S = 0.2

_PROFILE = (
    'start it (the publisher, not this node) with '
    'FASTDDS_DEFAULT_PROFILES_FILE (on Jazzy FASTRTPS_DEFAULT_PROFILES_FILE) set to this '
    "package's config/fastdds_large_images.xml"
)
_LARGE_IMAGES = (
    'with default Fast DDS settings best-effort images above 512 KiB get lost: make the camera '
    f'publish reliably, or {_PROFILE}, or use image_transport compressed'
)
_LARGE_RELIABLE_IMAGES = (
    'the network or this machine is too slow for them: if the camera runs on this machine and its '
    f'images are above 512 KiB, {_PROFILE}; otherwise lower the resolution or the frame rate, or '
    'use image_transport compressed'
)
_UNREACHABLE = 'check that the camera is running and that its network reaches this node'
_OVERLOADED = (
    'the network or this machine is too slow for them: lower the resolution or the frame rate, '
    'or use image_transport compressed'
)
# The message contains the largest of these shares that the loss exceeds.  With the exact loss, the
# message would differ at every check, and each new message is logged.
_SHARES = (REPORTED_SHARE, 0.1, 0.25, 0.5, 0.75)


class DeliveryWatch:
    """
    Detects that no image of a camera arrives, or that some images are lost.

    :meth:`image_arrived` and the other methods may be called from different threads.

    Args:
        camera: name of the camera.
        topic: resolved topic of the camera's images.
        fast_dds: whether the middleware is Fast DDS, which can lose large images.
    """

    def __init__(self, camera: str, topic: str, *, fast_dds: bool) -> None:
        self._camera = camera
        self._topic = topic
        self._fast_dds = fast_dds
        self._lock = threading.Lock()
        self._loss = FrameLoss()
        self._publishers = 0
        self._silent_since: float | None = None

    def image_arrived(self, stamp_s: float, sequence_number: int | None, now: float) -> None:
        """
        Record the arrival of an image.

        Args:
            stamp_s: stamp of the image, seconds.
            sequence_number: publication sequence number of the image; None if it is not known.
            now: the current time, seconds of :func:`time.monotonic`.
        """
        self._silent_since = now
        with self._lock:
            self._loss.arrived(stamp_s, sequence_number, now)

    def loss(self, now: float) -> float:
        """
        Return the estimated share of recently published images that did not arrive, 0 to 1.

        Args:
            now: the current time, seconds of :func:`time.monotonic`.
        """
        # Each publisher numbers its messages separately, and rclpy in Jazzy does not report which
        # publisher sent a message.  So the numbers are used only if there is one publisher.
        with self._lock:
            return self._loss.share(now, numbered=self._publishers == 1)

    def check(self, publishers: int, now: float, *, reliable: bool) -> str:
        """
        Return a message if published images do not arrive.

        Args:
            publishers: number of matched publishers.
            now: the current time, seconds of :func:`time.monotonic`.
            reliable: whether the subscription is reliable.

        Returns:
            The message, with advice; ``''`` if no problem was detected.
        """
        if publishers != self._publishers:
            # Images of the first publisher may arrive before the publisher is counted: keep them.
            if self._publishers:
                with self._lock:
                    self._loss = FrameLoss()
            self._publishers = publishers
        if not publishers:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = now
        elif now - self._silent_since >= SILENCE_S - _EARLY_S:
            return (
                f'camera {self._camera!r}: a publisher is matched on {self._topic}, but no image '
                f'has arrived for {SILENCE_S:.0f} s; {self._cure(_UNREACHABLE, reliable)}'
            )
        loss = self.loss(now)
        passed = [share for share in _SHARES if loss > share]
        if not passed:
            return ''
        overloaded = _LARGE_RELIABLE_IMAGES if self._fast_dds else _OVERLOADED
        return (
            f'camera {self._camera!r}: more than {passed[-1]:.0%} of the images on {self._topic} '
            f'are lost on the way to this node; {self._cure(overloaded, reliable)}'
        )

    def _cure(self, otherwise: str, reliable: bool) -> str:
        return _LARGE_IMAGES if self._fast_dds and not reliable else otherwise
