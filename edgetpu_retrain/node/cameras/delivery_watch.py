# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""DeliveryWatch: detects images that are published but do not arrive."""

from __future__ import annotations

import threading

from edgetpu_retrain.node.cameras.frame_loss import FrameLoss, REPORTED_SHARE

SILENCE_S = 5.0

_LARGE_IMAGES = (
    'with default Fast DDS settings best-effort images above 512 KiB get lost: make the camera '
    'publish reliably, or start it (the publisher, not this node) with '
    'FASTDDS_DEFAULT_PROFILES_FILE (on Jazzy FASTRTPS_DEFAULT_PROFILES_FILE) set to this '
    "package's config/fastdds_large_images.xml, or use image_transport compressed"
)
_UNREACHABLE = 'check that the camera is running and that its network reaches this node'
_OVERLOADED = (
    'the network or this machine is too slow for them: lower the resolution or the frame rate, '
    'or use image_transport compressed'
)
# The text changes only where the share passes one of these.
_SHARES = (REPORTED_SHARE, 0.1, 0.25, 0.5, 0.75)


class DeliveryWatch:
    """
    Detects that no image of a camera arrives, or that a share of them is lost on the way.

    Images arrive in another thread than the one that checks.  Times are seconds of
    :func:`time.monotonic`.

    Args:
        camera: its name.
        topic: the resolved topic of its images.
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
        Note that an image arrived.

        Args:
            stamp_s: its stamp, seconds.
            sequence_number: the publisher's number of it, None if the middleware has none.
            now: the time.
        """
        self._silent_since = now
        # Several publishers count on their own, and rclpy of Jazzy does not tell them apart.
        number = sequence_number if self._publishers == 1 else None
        with self._lock:
            self._loss.arrived(stamp_s, number, now)

    def loss(self, now: float) -> float:
        """Return the share of images lost in the last seconds, 0 to 1."""
        with self._lock:
            return self._loss.share(now)

    def check(self, publishers: int, now: float, *, reliable: bool) -> str:
        """
        Return a sentence while images do not arrive, else ``''``.

        Args:
            publishers: number of matched publishers.
            now: the time.
            reliable: whether the subscription is.
        """
        if publishers != self._publishers:
            self._publishers = publishers
            with self._lock:
                self._loss = FrameLoss()
        if not publishers:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = now
        elif now - self._silent_since >= SILENCE_S:
            return (
                f'camera {self._camera!r}: a publisher is matched on {self._topic}, but no image '
                f'has arrived for {SILENCE_S:.0f} s; {self._cure(_UNREACHABLE, reliable)}'
            )
        loss = self.loss(now)
        passed = [share for share in _SHARES if loss > share]
        if not passed:
            return ''
        return (
            f'camera {self._camera!r}: more than {passed[-1]:.0%} of the images on {self._topic} '
            f'are lost on the way to this node; {self._cure(_OVERLOADED, reliable)}'
        )

    def _cure(self, otherwise: str, reliable: bool) -> str:
        return _LARGE_IMAGES if self._fast_dds and not reliable else otherwise
