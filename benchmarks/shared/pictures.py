# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The pictures that the cameras of the benchmarks publish, and their messages."""

from __future__ import annotations

from collections.abc import Iterator
import struct
from typing import Any

import cv2
from edgetpu_retrain.demo.camera_motion import glance, RgbArray, take_picture, TEACHING
from edgetpu_retrain.demo.photographs import read_photograph, SUBJECTS
import numpy as np
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image

_SEED = 0
_JPEG_QUALITY = 90
# A serialized message begins with four bytes for its encoding, then the stamp of its header
# (OMG DDSI-RTPS 2.5, 10.2).
_STAMP_BEGIN, _STAMP_END = 4, 12


def views(subject: str, count: int, width: int, height: int) -> Iterator[RgbArray]:
    """Yield a camera's pictures of a packaged photograph, the same ones every time."""
    rng = np.random.default_rng([_SEED, SUBJECTS.index(subject)])
    photograph = read_photograph(subject)
    for view in glance(TEACHING, count, rng):
        yield take_picture(photograph, view, rng, (width, height))


def pictures(width: int, height: int) -> list[RgbArray]:
    """Return one picture of each subject, which a camera repeats."""
    return [next(views(subject, 1, width, height)) for subject in SUBJECTS]


def jpeg(picture: RgbArray) -> bytes:
    """Return a picture as a JPEG file."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    return bytes(cv2.imencode('.jpg', picture[:, :, ::-1], quality)[1])


def decoded(content: bytes) -> RgbArray:
    """Return the picture in a JPEG file."""
    bgr = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    return np.ascontiguousarray(bgr[:, :, ::-1], np.uint8)


def message(picture: RgbArray, transport: str) -> Any:
    """
    Return the message of a picture.

    Args:
        picture: uint8 ``[height, width, 3]`` RGB.
        transport: ``'raw'`` or ``'compressed'``.
    """
    if transport == 'compressed':
        compressed = CompressedImage(format='jpeg')
        compressed.data = jpeg(picture)
        compressed.header.frame_id = 'camera'
        return compressed
    height, width = picture.shape[:2]
    image = Image(height=height, width=width, encoding='rgb8', step=3 * width)
    image.data = picture.tobytes()
    image.header.frame_id = 'camera'
    return image


class StampedMessage:
    """
    A serialized message that can be published repeatedly with different stamps.

    Like a driver in C++, a camera then needs little time to publish; building and serializing each
    message in Python would take the processor from the node under test.

    Args:
        message: a message that begins with a header.
    """

    def __init__(self, message: Any) -> None:
        serialized = serialize_message(message)
        # CDR, little-endian or big-endian.
        self._order = '<' if serialized[1] == 1 else '>'
        self._before, self._after = serialized[:_STAMP_BEGIN], serialized[_STAMP_END:]

    def with_stamp(self, nanoseconds: int) -> bytes:
        """Return the serialized message with a stamp, nanoseconds."""
        stamp = struct.pack(f'{self._order}iI', *divmod(nanoseconds, 10**9))
        return b''.join((self._before, stamp, self._after))
