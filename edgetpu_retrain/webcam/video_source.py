# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
VideoSource: reads images from a webcam or a video file with OpenCV; does not depend on ROS.

A webcam that stops, for example because it was unplugged, is reopened when it is back.  At the end
of a video file, reading starts again from the beginning.
"""

from __future__ import annotations

from collections.abc import Callable
import os
from pathlib import Path
import stat
import time

import cv2
from edgetpu_retrain.errors import RetrainError
from edgetpu_retrain.wording import named, quoted
import numpy as np
import numpy.typing as npt

BgrArray = npt.NDArray[np.uint8]
"""A picture, uint8 ``[height, width, 3]`` in OpenCV's order: blue, green, red."""

CAMERA_RATE = 15.0
"""Rate of a webcam if no rate is given, Hz: enough to teach, at half the load of the usual 30."""

_DEVICES = Path('/dev')

# Rate of a video file that declares no rate between 1 Hz and _HIGHEST_FILE_RATE, Hz.
_FILE_RATE = 25.0
_HIGHEST_FILE_RATE = 240.0

RETRY_S = 1.0
"""Interval between attempts to reopen a webcam, seconds."""


class WebcamError(RetrainError):
    """A webcam or video file cannot be opened, or has no pictures."""


class VideoSource:
    """
    Reads images from a webcam or a video file, one after another.

    Args:
        source: index of a webcam, its device such as /dev/video0, or path of a video file.
        size: width and height to request from a webcam, pixels; larger pictures of a file are
            scaled down to fit.
        rate: pictures per second, Hz; 0 = the rate of the file, or :data:`CAMERA_RATE` for a
            webcam.
        warn: called with a sentence when a webcam stops, and when it is back.

    Attributes:
        path: path of the device or file.
        is_camera: whether the source is a webcam.
        rate: pictures per second, Hz.
        size: width and height of the first picture, pixels.

    Raises:
        WebcamError: if the source cannot be opened or has no pictures.
    """

    def __init__(
        self, source: str, size: tuple[int, int], rate: float, warn: Callable[[str], None]
    ) -> None:
        self.path = Path(f'/dev/video{source}' if source.isdecimal() else source)
        self._size = size
        self._warn = warn
        self._try_again_at = 0.0
        self._is_lost = False
        # The device of a webcam that is not plugged in is missing.
        is_absent = _DEVICES in self.path.parents and not os.path.exists(self.path)  # noqa: PTH110
        self.is_camera = source.isdecimal() or is_absent or _is_device(self.path)
        self._capture = self._open(rate)
        self.rate = rate or (CAMERA_RATE if self.is_camera else _rate_of_file(self._capture))
        first = self._read()
        if first is None:
            raise WebcamError(self._without_pictures())
        self.size = (first.shape[1], first.shape[0])

    def close(self) -> None:
        """Release the device or the file."""
        self._capture.release()

    def next_picture(self) -> BgrArray | None:
        """
        Wait for the next picture of a webcam, or decode the next picture of a file.

        Returns:
            The picture; None while a webcam is unavailable.

        Raises:
            WebcamError: if the file can no longer be read.
        """
        if self._is_lost:
            return self._retry()
        picture = self._read()
        if picture is not None:
            return picture
        self._capture.release()
        if self.is_camera:
            self._is_lost = True
            self._warn(
                f'{self.path} has stopped: is it unplugged? It is tried again every '
                f'{RETRY_S:.0f} s.'
            )
            return None
        self._capture = self._open(self.rate)
        picture = self._read()
        if picture is None:
            raise WebcamError(self._without_pictures())
        return picture

    def _retry(self) -> BgrArray | None:
        if time.monotonic() < self._try_again_at:
            return None
        self._try_again_at = time.monotonic() + RETRY_S
        try:
            self._capture = self._open(self.rate)
        except WebcamError:
            return None
        picture = self._read()
        if picture is None:
            self._capture.release()
            return None
        self._is_lost = False
        self._warn(f'{self.path} is back.')
        return picture

    def _open(self, rate: float) -> cv2.VideoCapture:
        if not self.is_camera:
            _require_file(self.path)
            capture = cv2.VideoCapture(str(self.path))
            if not capture.isOpened():
                raise WebcamError(self._without_pictures())
            return capture
        _require_device(self.path)
        capture = cv2.VideoCapture(str(self.path), cv2.CAP_V4L2)
        if not capture.isOpened():
            raise WebcamError(
                f'{self.path} cannot be opened as a camera: either another program uses it '
                f'(fuser {self.path} names it), or it has no pictures, such as the second device '
                f'of a webcam{_others(self.path)}'
            )
        width, height = self._size
        # Request MJPEG, because USB 2 is too slow for raw pictures at the full rate.  Drivers
        # without MJPEG ignore the request.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*'MJPG'))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        capture.set(cv2.CAP_PROP_FPS, rate or CAMERA_RATE)
        # Use a short queue, so that pictures are not old when they are read.
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return capture

    def _read(self) -> BgrArray | None:
        is_read, picture = self._capture.read()
        if not is_read or picture is None:
            return None
        height, width = picture.shape[:2]
        scale = min(self._size[0] / width, self._size[1] / height)
        if not self.is_camera and scale < 1.0:
            fitting = (max(1, round(width * scale)), max(1, round(height * scale)))
            picture = cv2.resize(picture, fitting, interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(picture, np.uint8)

    def _without_pictures(self) -> str:
        if self.is_camera:
            return (
                f'{self.path} sends no pictures: unplug it and plug it in again, or try another '
                f'USB port{_others(self.path)}'
            )
        return (
            f'{self.path} is no video that OpenCV can read: convert it, for example with '
            f"'ffmpeg -i {self.path.name} video.mp4'"
        )


def _rate_of_file(capture: cv2.VideoCapture) -> float:
    rate = float(capture.get(cv2.CAP_PROP_FPS))
    # OpenCV may return NaN, for which the comparisons are false.
    return rate if 1.0 <= rate <= _HIGHEST_FILE_RATE else _FILE_RATE


def _require_file(path: Path) -> None:
    # Path.is_file() raises an error if a folder of the path may not be searched.
    if not os.path.isfile(path):  # noqa: PTH113
        raise WebcamError(
            f'there is no video file {quoted(path)}: give the path of one, the index of a webcam '
            f'such as 0, or its device such as /dev/video0{_others(path)}'
        )
    if not os.access(path, os.R_OK):
        raise WebcamError(f'{quoted(path)} may not be read: chmod a+r {path}')


def _is_device(path: Path) -> bool:
    try:
        return stat.S_ISCHR(path.stat().st_mode)
    except OSError:
        return False


def _require_device(path: Path) -> None:
    if not _is_device(path):
        raise WebcamError(f'there is no camera {path}: plug one in{_others(path)}')
    if not os.access(path, os.R_OK | os.W_OK):
        raise WebcamError(
            f'{path} may not be opened by this user: add the user to the group video '
            '(sudo usermod -aG video $USER), then log out and in again'
        )


def cameras() -> list[str]:
    """Return the paths of the video devices of this machine, such as /dev/video0."""
    return sorted(str(each) for each in Path('/dev').glob('video*'))


def _others(path: Path) -> str:
    """Return the end of an error message, which names the other video devices of this machine."""
    found = cameras()
    # The path may be a link, as those in /dev/v4l/by-id are.  Path.resolve() may raise an error.
    device = os.path.realpath(path)
    others = [each for each in found if os.path.realpath(each) != device]
    if others:
        return f'; this machine has {named(others)}'
    return '; this machine has no other camera' if found else '; this machine has no /dev/video*'
