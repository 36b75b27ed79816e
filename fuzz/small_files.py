# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Small valid files for the seeds of several targets."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.learning.unknown import UnknownDetector
from edgetpu_retrain.model_file.head.append_head import append_head
import numpy as np
from support.small_classifiers import build_classifier
from support.small_models import build_extractor

DIMENSION = 4
IDENTITY = 'a' * 64
LABELS = ('daisy', 'red rose')


def head_of(dimension: int) -> Head:
    """Return a head with two classes and an unknown detector."""
    rng = np.random.default_rng(0)
    detector = UnknownDetector(
        rng.random(dimension, np.float32), rng.random(dimension, np.float32), 1.5
    )
    return Head(
        weights=rng.standard_normal((dimension, len(LABELS)), np.float32),
        bias=np.zeros(len(LABELS), np.float32),
        labels=LABELS,
        unknown=detector,
    )


def extractors() -> Iterator[bytes]:
    """Generate a .tflite extractor of each type, and one compiled for the Edge TPU."""
    for dtype in ('uint8', 'int8', 'float32'):
        yield build_extractor(dtype, dimension=DIMENSION, image_size=2)
    yield build_extractor('uint8', dimension=DIMENSION, image_size=2, rank=2)
    yield build_extractor('uint8', dimension=DIMENSION, image_size=2, compiled=True)


def classifiers() -> Iterator[bytes]:
    """Generate a retrained model of each extractor, and classifiers of other tools."""
    for extractor in extractors():
        yield append_head(extractor, head_of(DIMENSION))
    yield build_classifier('uint8', dimension=DIMENSION, image_size=2)
    yield build_classifier('float32', dimension=DIMENSION, image_size=2, convolution=True)
    for pooling in ('AVERAGE_POOL_2D', 'MEAN'):
        yield build_classifier(
            'int8', dimension=DIMENSION, image_size=2, spatial=2, convolution=True, pooling=pooling
        )


def picture(suffix: str, channels: int = 3, *options: int) -> bytes:
    """Return a small picture as a '.jpg', '.png' or '.webp' file; 4 channels = with alpha."""
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, channels), np.uint8)
    return bytes(cv2.imencode(suffix, pixels, options)[1].tobytes())
