# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Decodes WEBP files, but not with an OpenCV that is vulnerable to CVE-2023-4863.

A crafted lossless file makes libwebp before 1.3.2 write out of bounds.  Linux distributions
have patched their libwebp, but wheels of opencv-python before 4.8.1 bundle an unpatched libwebp.
If OpenCV is from one of these wheels, Pillow decodes instead.
"""

from __future__ import annotations

from io import BytesIO
import re
from typing import Any

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.pixels import convert_colours
import numpy as np
import numpy.typing as npt


def opencv_is_safe(version: str = cv2.__version__, build: str = '') -> bool:
    """
    Return whether OpenCV bundles no libwebp, or one without CVE-2023-4863.

    Args:
        version: version of OpenCV.
        build: build information of OpenCV; '' = that of the installed OpenCV.
    """
    bundles = re.search(r'WEBP:\s+build', build or cv2.getBuildInformation())
    numbers = [int(number) for number in re.findall(r'\d+', version)[:3]]
    return not bundles or numbers >= [4, 8, 1]


_OPENCV_IS_SAFE = opencv_is_safe()


def decode_webp(content: bytes) -> npt.NDArray[Any] | None:
    """
    Decode a WEBP file.

    Args:
        content: ``shown`` of a :class:`~edgetpu_retrain.pictures.files.webp_file.WebpFile`.

    Returns:
        uint8 ``[H, W, 3]`` (blue, green, red) or ``[H, W, 4]`` (blue, green, red, alpha); None if
        the file is damaged.

    Raises:
        ImageError: if no safe decoder is installed.
        cv2.error: if OpenCV fails on the file.
    """
    if _OPENCV_IS_SAFE:
        # OpenCV's header check reads 32 bytes, but the file of a small picture may be shorter.
        padded = content.ljust(32, b'\0')
        pixels: npt.NDArray[Any] | None = cv2.imdecode(
            np.frombuffer(padded, np.uint8), cv2.IMREAD_UNCHANGED
        )
        return pixels
    try:
        from PIL import Image
    except ImportError as error:
        raise ImageError(
            f'WEBP files are not decoded by OpenCV {cv2.__version__}, because of CVE-2023-4863 in '
            'it: install Pillow, or opencv-python 4.8.1 or later'
        ) from error
    try:
        with Image.open(BytesIO(content), formats=('WEBP',)) as picture:
            code = cv2.COLOR_RGBA2BGRA if picture.mode == 'RGBA' else cv2.COLOR_RGB2BGR
            rgb = np.asarray(picture)
    except (OSError, ValueError):
        return None
    return convert_colours(rgb, code)
