# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Operations on the pixels of a picture: colour conversion and transparency."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

RgbArray = npt.NDArray[np.uint8]

GREY = 128
"""Brightness of the background of transparent pictures, 0 to 255."""

_OPAQUE = 255
# Number of rows that are composited at a time, to limit temporary memory.
_ROWS = 64


def convert_colours(pixels: npt.NDArray[Any], code: int) -> RgbArray:
    """
    Convert a picture to another colour format.

    Args:
        pixels: ``[H, W]`` or ``[H, W, C]``, of a type that OpenCV converts.
        code: one of OpenCV's ``COLOR_...`` constants.
    """
    converted = cv2.cvtColor(_two_pixels_or_more(pixels), code)
    return np.asarray(converted, np.uint8)[:, : pixels.shape[1]]


def _two_pixels_or_more(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Repeat the pixel of a 1 x 1 picture, which OpenCV 4.5.4 cannot convert."""
    return np.repeat(pixels, 2, axis=1) if pixels.shape[:2] == (1, 1) else pixels


def is_transparent(pixels: npt.NDArray[np.uint8], *, may_be_padding: bool = False) -> bool:
    """
    Return whether a picture has transparent pixels.

    Args:
        pixels: uint8 ``[H, W, 4]``; the last channel is alpha.
        may_be_padding: whether to ignore alpha if its value is the same in all pixels: many
            cameras send 0 as the fourth byte of every pixel.
    """
    # Bitwise AND and OR of pixels as 32-bit integers are many times faster than the minimum and
    # maximum of alpha.
    values = np.ascontiguousarray(pixels).view(np.uint32)
    in_all = np.bitwise_and.reduce(values, axis=None, keepdims=True).view(np.uint8)[..., 3]
    if in_all == _OPAQUE or not may_be_padding:
        return bool(in_all != _OPAQUE)
    in_some = np.bitwise_or.reduce(values, axis=None, keepdims=True).view(np.uint8)[..., 3]
    return bool(in_all != in_some)


def on_grey(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """
    Composite a picture on grey (:data:`GREY`).

    Args:
        pixels: uint8 ``[H, W, 4]``; the last channel is alpha, by which the colours are not
            premultiplied.

    Returns:
        uint8 ``[H, W, 4]``, with the colours in the order of ``pixels``; every alpha is 255.
    """
    result = np.empty(pixels.shape, np.uint8)
    for top in range(0, len(pixels), _ROWS):
        bottom = top + _ROWS
        part: Any = pixels[top:bottom].astype(np.uint16)
        alpha = part[..., 3:].copy()
        part *= alpha
        # Add about half of the divisor 255, so that the division rounds.
        part += GREY * (_OPAQUE - alpha) + np.uint16(128)
        # The next two lines divide by 255, without an error for values up to 255 * 255.
        part += part >> 8
        part >>= 8
        result[top:bottom] = part
    result[..., 3] = _OPAQUE
    return result
