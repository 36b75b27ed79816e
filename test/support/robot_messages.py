# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages of cameras, detectors and the node, and the pictures in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import CompressedImage, Image
from support.waiting import Collected
from vision_msgs.msg import Detection2D, ObjectHypothesisWithPose

Picture = npt.NDArray[np.uint8]


def image_message(picture: Picture, encoding: str = 'rgb8') -> Image:
    """Return a ``sensor_msgs/Image`` of a picture ``[H, W, C]``."""
    height, width = picture.shape[:2]
    message = Image(height=height, width=width, encoding=encoding, step=picture[0].nbytes)
    message.data = picture.tobytes()
    return message


def compressed_message(content: bytes, kind: str = 'jpeg') -> CompressedImage:
    """Return a ``sensor_msgs/CompressedImage`` with the content of a file."""
    message = CompressedImage(format=kind)
    message.data = content
    return message


def jpeg_message(picture: Picture) -> CompressedImage:
    """Return a ``sensor_msgs/CompressedImage`` with an RGB picture as JPEG."""
    return compressed_message(cv2.imencode('.jpg', picture[..., ::-1])[1].tobytes())


def stamp_ns(header: Any) -> int:
    """Return the stamp of a header, nanoseconds."""
    return int(header.stamp.sec * 10**9 + header.stamp.nanosec)


def first_since(results: Collected[Any], since: int, camera: str = 'camera') -> Any:
    """Wait for the first ``Result`` of a camera whose image is later than ``since``, ns."""
    return results.wait_for(lambda each: each.camera == camera and stamp_ns(each.header) > since)


def classified_as(label: str) -> Callable[[Any], bool]:
    """Return whether the best class of a Classification message has the label, as a predicate."""
    return lambda message: bool(message.results[0].class_id == label)


def box_message(
    name: str, x: float, y: float, width: float, height: float, score: float = 0.5
) -> Detection2D:
    """Return a detection with the id ``name`` around the centre (x, y)."""
    detection = Detection2D(id=name)
    detection.bbox.center.position.x, detection.bbox.center.position.y = float(x), float(y)
    detection.bbox.size_x, detection.bbox.size_y = float(width), float(height)
    hypothesis = ObjectHypothesisWithPose()
    hypothesis.hypothesis.class_id, hypothesis.hypothesis.score = 'thing', score
    detection.results = [hypothesis]
    return detection


def pattern(seed: int) -> Picture:
    """Return a random picture, uint8 ``[48, 64, 3]``."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return np.repeat(np.repeat(coarse, 8, axis=0), 8, axis=1)


TAUGHT = 3
"""Number of samples per class in the folder ``taught_data``."""
TAUGHT_IMAGES = {
    label: image_message(pattern(seed)) for seed, label in enumerate(('cat', 'dog'), 1)
}
"""Label to image of the classes in the folder ``taught_data``."""
