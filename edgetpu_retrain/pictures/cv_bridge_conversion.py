# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Converts images whose encoding only cv_bridge supports, such as one of a later ROS release."""

from __future__ import annotations

import functools
import importlib.util
from typing import Any

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.pixels import RgbArray
from edgetpu_retrain.pictures.unsupported import unsupported_encoding
from edgetpu_retrain.wording import quoted
import numpy as np

MAX_ENCODING_LENGTH = 32
"""Maximum length of an encoding; the longest one in image_encodings.hpp has 12 characters."""

# Maximum length of the message of cv_bridge in an error, characters.
_LONGEST_REASON = 200


@functools.cache
def has_cv_bridge() -> bool:
    """Return whether cv_bridge is installed; it is optional, because it is not on PyPI."""
    return importlib.util.find_spec('cv_bridge') is not None


def check_by_length(message: Any) -> None:
    """
    Check the lengths in a message that cv_bridge does not check.

    Args:
        message: a ``sensor_msgs/Image`` whose width, height and data are within the limits.

    Raises:
        ImageError: if the name of the encoding is too long, or the rows or the data are too short.
    """
    if len(message.encoding) > MAX_ENCODING_LENGTH:
        raise ImageError(
            f'encoding {quoted(message.encoding)} has more than {MAX_ENCODING_LENGTH} characters: '
            'fix the publisher'
        )
    # Every encoding has at least one byte per pixel.
    if message.step < message.width or len(message.data) < message.step * message.height:
        raise ImageError(
            f'data has {len(message.data)} bytes and step is {message.step}, but the image has '
            f'{message.height} rows of {message.width} pixels: fix the publisher'
        )


def convert_by_cv_bridge(message: Any, supported: tuple[str, ...]) -> RgbArray:
    """
    Return the picture in an image message, uint8 ``[H, W, 3]`` RGB.

    Args:
        message: a ``sensor_msgs/Image`` that :func:`check_by_length` accepts.
        supported: the encodings that are converted without cv_bridge, for the error message.

    Raises:
        ImageError: if cv_bridge cannot convert the message.
    """
    from cv_bridge import CvBridge

    try:
        picture = np.asarray(CvBridge().imgmsg_to_cv2(message, desired_encoding='rgb8'))
    except MemoryError:
        raise
    except Exception as error:
        raise ImageError(
            f'{unsupported_encoding(message.encoding, supported)} '
            f'(cv_bridge: {quoted(error, _LONGEST_REASON)})'
        ) from error
    if picture.dtype != np.uint8 or picture.shape != (message.height, message.width, 3):
        raise ImageError(
            f'cv_bridge made {picture.dtype} numbers of shape {list(picture.shape)} of encoding '
            f'{message.encoding!a}: make the camera send one of {", ".join(supported)}'
        )
    return picture
