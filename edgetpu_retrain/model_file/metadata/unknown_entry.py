# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Reads and writes the unknown detector in a model file.

The detector is an entry in the model's metadata table; runtimes and other tools ignore this entry.
It consists of little-endian float32 numbers: the format version, the threshold, the number R of
directions and ``full_share``, then center and gain, D numbers each, and the directions, D rows of
R numbers (see UnknownDetector).  Format 1, of earlier releases, has no R, ``full_share`` or
directions.
"""

from __future__ import annotations

import math
from typing import Any

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.learning.unknown import UnknownDetector
from edgetpu_retrain.model_file.flatbuffer import parse_to_read
from edgetpu_retrain.model_file.metadata import self_description
import numpy as np

ENTRY_NAME = 'EDGETPU_RETRAIN_UNKNOWN'

_FORMAT = 2.0
_WITHOUT_DIRECTIONS = 1.0
_NUMBER = np.dtype('<f4')
# Length of the part before the vectors, in numbers, by format version.
_NUMBERS_BEFORE = {_WITHOUT_DIRECTIONS: 2, _FORMAT: 4}


def write_unknown(tree: Any, detector: UnknownDetector | None) -> None:
    """
    Write an unknown detector into a model, replacing an existing one.

    Args:
        tree: the ``ModelT`` of the model.
        detector: the detector; None removes an existing one.
    """
    if detector is None:
        self_description.drop_content(tree, ENTRY_NAME)
        return
    dimension, directions = len(detector.center), detector.directions
    number = directions.size // dimension
    numbers = np.concatenate(
        [
            [_FORMAT, detector.threshold, number, detector.full_share],
            detector.center,
            detector.gain,
            directions.reshape(-1),
        ]
    )
    self_description.set_content(tree, ENTRY_NAME, numbers.astype(_NUMBER).tobytes())


def read_unknown(model: bytes, dimension: int) -> UnknownDetector | None:
    """
    Return the unknown detector of a model, or None if it has none.

    Args:
        model: the bytes of a .tflite file.
        dimension: D, the length of the model's embedding.

    Raises:
        ModelFileError: if the model is damaged or the detector does not match it.
    """
    content = self_description.content_of(parse_to_read(model), ENTRY_NAME)
    if content is None:
        return None
    numbers = np.frombuffer(content[: len(content) // 4 * 4], _NUMBER).astype(np.float32)
    version = float(numbers[0]) if len(numbers) else math.nan
    before = _NUMBERS_BEFORE.get(version)
    if before is None:
        raise ModelFileError(
            f'the unknown detector in this model is of format {version:g}; this release reads '
            f'formats {_WITHOUT_DIRECTIONS:g} and {_FORMAT:g}: train again'
        )
    more = float(numbers[2]) if before == _NUMBERS_BEFORE[_FORMAT] and len(numbers) > before else 0
    rank = int(more) if 0 <= more <= dimension else 0
    expected = (before + (2 + rank) * dimension) * _NUMBER.itemsize
    if len(content) != expected:
        raise ModelFileError(
            f'the unknown detector in this model has {len(content)} bytes where embeddings of '
            f'length {dimension} need {expected}: the file is damaged or of a newer release; '
            'copy it again or train again'
        )
    threshold, vectors = float(numbers[1]), numbers[before:]
    if np.isnan(threshold) or not np.isfinite(numbers[2:]).all():
        raise ModelFileError(
            'the unknown detector in this model holds NaN or infinity: the file is damaged; copy '
            'it again or train again'
        )
    center, gain, directions = np.split(vectors, [dimension, 2 * dimension])
    if not rank:
        return UnknownDetector(center, gain, threshold)
    axes = directions.reshape(dimension, rank)
    return UnknownDetector(center, gain, threshold, axes, float(numbers[3]))
