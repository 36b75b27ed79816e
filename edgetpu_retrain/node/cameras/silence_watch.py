# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Notices a camera whose publisher is there but whose images are not."""

from __future__ import annotations

SILENCE_S = 5.0

_LARGE_IMAGES = (
    'with default Fast DDS settings best-effort images above 512 KiB get lost: start the '
    'camera (the publisher, not this node) with FASTDDS_DEFAULT_PROFILES_FILE (on Jazzy '
    "FASTRTPS_DEFAULT_PROFILES_FILE) set to this package's config/fastdds_large_images.xml, or "
    'use image_transport compressed'
)
_ANY_OTHER = 'check that the camera is running and that its network reaches this node'


class SilenceWatch:
    """
    Watches one camera; a pure clockwork that is told what happens and when.

    Times are seconds of :func:`time.monotonic`.

    Args:
        camera: its name.
        topic: of its images, as resolved.
        fast_dds: whether the middleware is Fast DDS, which has a reason of its own.
    """

    def __init__(self, camera: str, topic: str, *, fast_dds: bool) -> None:
        self._camera = camera
        self._topic = topic
        self._reason = _LARGE_IMAGES if fast_dds else _ANY_OTHER
        self._silent_since: float | None = None
        self._reported = False

    @property
    def is_reported(self) -> bool:
        """Whether a silence was told and goes on."""
        return self._reported

    def image_arrived(self, now: float) -> None:
        """Note that an image came; a silence after it is worth a new report."""
        self._silent_since = now
        self._reported = False

    def check(self, num_publishers: int, now: float) -> str | None:
        """
        Return the sentence to be logged when images have been missing too long, else None.

        Args:
            num_publishers: how many publishers are matched.
            now: the time.
        """
        if not num_publishers:
            self._silent_since = None
            self._reported = False
            return None
        if self._silent_since is None:
            self._silent_since = now
        if self._reported or now - self._silent_since < SILENCE_S:
            return None
        self._reported = True
        return (
            f'camera {self._camera!r}: a publisher is matched on {self._topic}, but no image has '
            f'arrived for {SILENCE_S:.0f} s; {self._reason}'
        )
