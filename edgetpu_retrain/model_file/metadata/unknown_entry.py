# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Reads and writes the unknown detector in a model file.

It is an entry of the model's metadata table, which runtimes and other tools ignore.  It consists
of little-endian float32 numbers: the format version, the threshold, then center and gain, D
numbers each.
"""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.learning.unknown import UnknownDetector
from edgetpu_retrain.model_file.flatbuffer import parse_to_read
from edgetpu_retrain.model_file.metadata import self_description
import numpy as np

ENTRY_NAME = 'EDGETPU_RETRAIN_UNKNOWN'

_FORMAT = 1.0
_NUMBER = np.dtype('<f4')
_NUMBERS_BEFORE_VECTORS = 2


def write_unknown(tree: Any, detector: UnknownDetector | None) -> None:
    """
    Write an unknown detector into a model, replacing an existing one.

    Args:
        tree: the model.
        detector: the detector; None only removes an existing one.
    """
    if detector is None:
        self_description.drop_content(tree, ENTRY_NAME)
        return
    numbers = np.concatenate([[_FORMAT, detector.threshold], detector.center, detector.gain])
    self_description.set_content(tree, ENTRY_NAME, numbers.astype(_NUMBER).tobytes())


def read_unknown(model: bytes, dimension: int) -> UnknownDetector | None:
    """
    Return the unknown detector of a model, or None if it has none.

    Args:
        model: the bytes of a .tflite file.
        dimension: D, the length of its embedding.

    Raises:
        ModelFileError: if the model is damaged or the detector does not match it.
    """
    content = self_description.content_of(parse_to_read(model), ENTRY_NAME)
    if content is None:
        return None
    expected = (_NUMBERS_BEFORE_VECTORS + 2 * dimension) * _NUMBER.itemsize
    if len(content) != expected:
        raise ModelFileError(
            f'the unknown detector in this model has {len(content)} bytes where embeddings of '
            f'length {dimension} need {expected}: the file is damaged or of a newer release; '
            'copy it again or train again'
        )
    numbers = np.frombuffer(content, _NUMBER).astype(np.float32)
    threshold, vectors = float(numbers[1]), numbers[_NUMBERS_BEFORE_VECTORS:]
    if numbers[0] != _FORMAT or np.isnan(threshold) or not np.isfinite(vectors).all():
        raise ModelFileError(
            f'the unknown detector in this model is of format {numbers[0]:g} or holds NaN or '
            f'infinity; this release reads format {_FORMAT:g}: train again'
        )
    return UnknownDetector(vectors[:dimension], vectors[dimension:], threshold)
