# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""The ways in which a camera's images travel: raw, or compressed to JPEG or PNG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgetpu_retrain.node.compressed_image import check_compressed_image, compressed_image_to_rgb
from edgetpu_retrain.node.image_conversion import check_image, image_to_rgb, RgbArray


@dataclass(frozen=True)
class ImageTransport:
    """
    How images travel and how they are read.

    Args:
        topic_suffix: what is added to the camera's image topic, as image_transport does
            (https://github.com/ros-perception/image_common).
        check: raises ImageError when a message contradicts itself, without pixel work.
        to_rgb: from a message to uint8 ``[H, W, 3]`` RGB, or ImageError.
    """

    topic_suffix: str
    check: Callable[[Any], None]
    to_rgb: Callable[[Any], RgbArray]


RAW = ImageTransport('', check_image, image_to_rgb)
COMPRESSED = ImageTransport('/compressed', check_compressed_image, compressed_image_to_rgb)

IMAGE_TRANSPORTS = {'raw': RAW, 'compressed': COMPRESSED}
