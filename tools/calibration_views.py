# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The pictures on which the default extractor is calibrated, always the same ones.

They are photographs that scikit-image and scikit-learn carry, seen as a camera on a robot would
show them.
"""

from __future__ import annotations

from collections.abc import Iterator
import importlib
import importlib.resources
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]

CALIBRATION_PHOTOGRAPHS = {
    'skimage.data': (
        'astronaut.png',
        'brick.png',
        'camera.png',
        'chelsea.png',
        'clock_motion.png',
        'coffee.png',
        'coins.png',
        'grass.png',
        'gravel.png',
        'hubble_deep_field.jpg',
        'ihc.png',
        'moon.png',
        'motorcycle_left.png',
        'page.png',
        'retina.jpg',
        'rocket.jpg',
    ),
    'sklearn.datasets.images': ('china.jpg', 'flower.jpg'),
}
VIEWS_PER_PHOTOGRAPH = 16
CALIBRATION_SEED = 0


def calibration_views(size: int) -> Iterator[Pixels]:
    """
    Yield uint8 ``[size, size, 3]`` views of the packaged photographs.

    Each photograph comes whole, then in random crops with flips, exposure and colour casts, as
    a camera on a robot would show it.
    """
    pillow = importlib.import_module('PIL.Image')
    rng = np.random.default_rng(CALIBRATION_SEED)
    for package, names in CALIBRATION_PHOTOGRAPHS.items():
        for name in names:
            with (importlib.resources.files(package) / name).open('rb') as file:
                photograph = pillow.open(file).convert('RGB')
            whole = (0.0, 0.0, float(photograph.width), float(photograph.height))
            yield _resized(photograph, whole, size)
            for _ in range(VIEWS_PER_PHOTOGRAPH - 1):
                crop = _resized(photograph, _random_crop(photograph, rng), size)
                yield _relit(crop, rng)


def _resized(photograph: Any, box: Box, size: int) -> Pixels:
    pillow = importlib.import_module('PIL.Image')
    return np.asarray(photograph.resize((size, size), pillow.Resampling.BILINEAR, box=box))


def _random_crop(photograph: Any, rng: np.random.Generator) -> Box:
    """Return a box of 15 to 100 % of the area, up to 1.35 times wider or higher than it."""
    area, stretch = rng.uniform(0.15, 1.0), np.exp(rng.uniform(-0.3, 0.3))
    width = photograph.width * min(1.0, np.sqrt(area * stretch))
    height = photograph.height * min(1.0, np.sqrt(area / stretch))
    left = rng.uniform(0, photograph.width - width)
    top = rng.uniform(0, photograph.height - height)
    return left, top, left + width, top + height


def _relit(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    light: npt.NDArray[Any] = pixels.astype(np.float32)
    if rng.random() < 0.5:
        light = light[:, ::-1]
    contrast, brightness = rng.uniform(0.7, 1.3), rng.uniform(-30, 30)
    light = (light - 127) * contrast + 127 + brightness
    light = light * rng.uniform(0.85, 1.15, 3)
    relit: Pixels = np.clip(np.rint(light), 0, 255).astype(np.uint8)
    return relit
