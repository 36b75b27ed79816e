# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Simulates a camera that moves over a photograph: pan, zoom, rotation, exposure and noise.

A photograph serves as a flat scene.  A :class:`View` describes which part of the photograph the
camera sees and how, and :func:`take_picture` renders the picture.  After teaching, an exam tests
the retrain node.  The ranges of views for the exam do not overlap with the ranges for teaching, so
every picture of the exam is new.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import math

import cv2
import numpy as np
import numpy.typing as npt

RgbArray = npt.NDArray[np.uint8]
"""An RGB picture, uint8 ``[height, width, 3]``."""

PICTURE_SIZE = (640, 480)
"""Width and height of the camera's pictures, pixels; usual for a USB camera."""


@dataclass(frozen=True)
class View:
    """
    The camera's view of a photograph.

    Args:
        pan_x: horizontal position of the view, from -1 (as far left as possible within the
            photograph) to 1 (as far right as possible).
        pan_y: vertical position, from -1 (as far up as possible) to 1 (as far down as possible).
        zoom: magnification; at 1, the view is as large as the photograph allows, and at 2 half as
            wide and half as high.
        rotation: rotation of the camera around its optical axis, degrees.
        exposure: change of brightness in photographic stops; brighter if positive.
        noise: standard deviation of the sensor's noise; pixel values are 0 to 255.
    """

    pan_x: float
    pan_y: float
    zoom: float
    rotation: float
    exposure: float
    noise: float


@dataclass(frozen=True)
class MotionRanges:
    """
    The range of each field of a :class:`View`: its minimum and maximum absolute value.

    Pan, rotation and exposure can have either sign: (5, 10) means 5 to 10 or -10 to -5.
    """

    pan: tuple[float, float]
    zoom: tuple[float, float]
    rotation: tuple[float, float]
    exposure: tuple[float, float]
    noise: tuple[float, float]


TEACHING = MotionRanges(
    pan=(0.0, 0.55), zoom=(1.0, 1.35), rotation=(0.0, 9.0), exposure=(0.0, 0.4), noise=(0.0, 6.0)
)
"""Views for teaching, which differ only a little."""

EXAM = MotionRanges(
    pan=(0.6, 0.9),
    zoom=(1.4, 1.8),
    rotation=(10.0, 20.0),
    exposure=(0.45, 0.75),
    noise=(8.0, 16.0),
)
"""Views for the exam: closer, less centred, more rotated, differently exposed and noisier."""


def glance(ranges: MotionRanges, frames: int, rng: np.random.Generator) -> Iterator[View]:
    """
    Yield the views of one glance, a smooth movement between two random views.

    Pan, rotation and exposure have the same sign in both views, so that all views between them are
    within the ranges.

    Args:
        ranges: the range of each field of a view.
        frames: number of views.
        rng: random generator.
    """
    pan_x, pan_y, rotation, exposure = rng.choice((-1.0, 1.0), 4)
    signs = np.array((pan_x, pan_y, 1.0, rotation, exposure, 1.0))
    limits = np.array(
        (ranges.pan, ranges.pan, ranges.zoom, ranges.rotation, ranges.exposure, ranges.noise)
    )
    start, end = signs * rng.uniform(limits[:, 0], limits[:, 1], (2, len(limits)))
    for progress in np.linspace(0.0, 1.0, frames):
        ease = progress * progress * (3.0 - 2.0 * progress)  # smoothstep: no speed at the ends
        yield View(*(start + ease * (end - start)).tolist())


def picture_to_photograph(
    view: View, photograph_size: tuple[int, int], picture_size: tuple[int, int] = PICTURE_SIZE
) -> npt.NDArray[np.float64]:
    """
    Return the affine map from coordinates in the picture to coordinates in the photograph.

    At zoom 1, the rotated picture just fits into the photograph, so no view extends beyond it.

    Args:
        view: the camera's view.
        photograph_size: width and height of the photograph, pixels.
        picture_size: width and height of the picture, pixels.

    Returns:
        float64 ``[2, 3]``; coordinates are in pixels.
    """
    width, height = picture_size
    angle = math.radians(view.rotation)
    cos, sin = math.cos(angle), math.sin(angle)
    # Size of the axis-aligned bounding box of the rotated picture.
    box = np.array((width * abs(cos) + height * abs(sin), width * abs(sin) + height * abs(cos)))
    photograph = np.array(photograph_size, np.float64)
    scale = float(np.min(photograph / box)) / view.zoom
    room = (photograph - scale * box) / 2.0
    centre = photograph / 2.0 + room * (view.pan_x, view.pan_y)
    linear = scale * np.array(((cos, -sin), (sin, cos)))
    offset = centre - linear @ (width / 2.0, height / 2.0)
    return np.column_stack((linear, offset))


def take_picture(
    photograph: RgbArray,
    view: View,
    rng: np.random.Generator,
    picture_size: tuple[int, int] = PICTURE_SIZE,
) -> RgbArray:
    """
    Render the picture that the camera takes of a photograph.

    Args:
        photograph: uint8 ``[h, w, 3]`` RGB.
        view: the camera's view.
        rng: random generator for the noise.
        picture_size: width and height of the picture, pixels.

    Returns:
        uint8 ``[height, width, 3]`` RGB.
    """
    size = (photograph.shape[1], photograph.shape[0])
    seen = cv2.warpAffine(
        photograph,
        picture_to_photograph(view, size, picture_size),
        picture_size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    light = rng.standard_normal(seen.shape, np.float32)
    light *= view.noise
    light += np.multiply(seen, 2.0**view.exposure, dtype=np.float32)
    np.clip(light, 0.0, 255.0, out=light)
    return np.asarray(light, np.uint8)
