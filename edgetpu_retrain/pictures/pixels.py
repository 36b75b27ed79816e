# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Operations on the pixels of a picture: conversion of colours and transparency."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

RgbArray = npt.NDArray[np.uint8]

GREY = 128
"""The background of transparent pictures."""

_OPAQUE = 255
# Rows that are composited at a time, to limit temporary memory.
_ROWS = 64


def convert_colours(pixels: npt.NDArray[Any], code: int) -> RgbArray:
    """
    Return a picture converted to another colour format.

    Args:
        pixels: ``[H, W]`` or ``[H, W, C]``, of a type that OpenCV converts.
        code: one of OpenCV's ``COLOR_...``.
    """
    converted = cv2.cvtColor(_two_pixels_or_more(pixels), code)
    return np.asarray(converted, np.uint8)[:, : pixels.shape[1]]


def _two_pixels_or_more(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a picture; repeat a single pixel, because OpenCV 4.5.4 cannot convert one alone."""
    return np.repeat(pixels, 2, axis=1) if pixels.shape[:2] == (1, 1) else pixels


def is_transparent(pixels: npt.NDArray[np.uint8], *, may_be_padding: bool = False) -> bool:
    """
    Return whether a picture has transparent pixels.

    Args:
        pixels: ``[H, W, 4]``, the last channel is alpha.
        may_be_padding: whether alpha of the same value everywhere has no meaning: many cameras
            send 0 in the fourth byte of a pixel.
    """
    # Combining whole pixels by 'and' and 'or' is many times faster than finding extremes of alpha.
    values = np.ascontiguousarray(pixels).view(np.uint32)
    in_all = np.bitwise_and.reduce(values, axis=None, keepdims=True).view(np.uint8)[..., 3]
    if in_all == _OPAQUE or not may_be_padding:
        return bool(in_all != _OPAQUE)
    in_some = np.bitwise_or.reduce(values, axis=None, keepdims=True).view(np.uint8)[..., 3]
    return bool(in_all != in_some)


def on_grey(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """
    Return a picture composited on grey (:data:`GREY`).

    Args:
        pixels: ``[H, W, 4]``; the last channel is alpha, and the others are not premultiplied.

    Returns:
        ``[H, W, 4]``, in the same order of colours, without transparent pixels.
    """
    result = np.empty(pixels.shape, np.uint8)
    for top in range(0, len(pixels), _ROWS):
        bottom = top + _ROWS
        part: Any = pixels[top:bottom].astype(np.uint16)
        alpha = part[..., 3:].copy()
        part *= alpha
        # Add half of the divisor, to round.
        part += GREY * (_OPAQUE - alpha) + np.uint16(128)
        # This divides by 255, exactly for products of two bytes.
        part += part >> 8
        part >>= 8
        result[top:bottom] = part
    result[..., 3] = _OPAQUE
    return result
