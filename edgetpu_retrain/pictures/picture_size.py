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
"""Limits for the size of a picture, checked before any pixel is read."""

from __future__ import annotations

from edgetpu_retrain.errors import ImageError

MAX_PIXELS = 64_000_000
"""64 megapixels are 192 MB of RGB; 8K video has 33."""

MAX_SIDE = 32_767
"""Pixels; OpenCV uses 16-bit coordinates for resizing and rotating (SHRT_MAX)."""


def check_size(what: str, width: int, height: int) -> None:
    """
    Raise if a picture is empty or exceeds the limits.

    Args:
        what: name of the picture in the message.
        width: in pixels.
        height: in pixels.

    Raises:
        ImageError: names the size and the limit.
    """
    if not width or not height:
        raise ImageError(f'{what} is {width} x {height} pixels: a side of 0 is no picture')
    if width * height > MAX_PIXELS:
        raise ImageError(
            f'{what} is {width} x {height} pixels, more than {MAX_PIXELS // 1_000_000} '
            'megapixels: make it smaller'
        )
    if max(width, height) > MAX_SIDE:
        raise ImageError(
            f'{what} is {width} x {height} pixels, and a side is longer than {MAX_SIDE}: make it '
            'smaller'
        )
