# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""SilenceWatch: detects a camera that has a publisher but sends no images."""

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
    Detects the silence of one camera.

    Times are seconds of :func:`time.monotonic`.

    Args:
        camera: its name.
        topic: the resolved topic of its images.
        fast_dds: whether the middleware is Fast DDS, which can lose large images.
    """

    def __init__(self, camera: str, topic: str, *, fast_dds: bool) -> None:
        self._problem = (
            f'camera {camera!r}: a publisher is matched on {topic}, but no image has arrived for '
            f'{SILENCE_S:.0f} s; {_LARGE_IMAGES if fast_dds else _ANY_OTHER}'
        )
        self._silent_since: float | None = None

    def image_arrived(self, now: float) -> None:
        """Restart the time of silence."""
        self._silent_since = now

    def check(self, publishers: int, now: float) -> str:
        """
        Return a sentence while the camera is silent, else ``''``.

        Args:
            publishers: number of matched publishers.
            now: the time.
        """
        if not publishers:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = now
        elif now - self._silent_since >= SILENCE_S:
            return self._problem
        return ''
