# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The range of logits that a quantized head represents."""

from __future__ import annotations

from edgetpu_retrain.learning.arrays import FloatArray
import numpy as np

# One outlier per this many samples is ignored, and always at least one.
_ROWS_AN_OUTLIER = 1000

# Margin for new samples, whose logits may exceed those seen so far.
_ROOM = 0.05


def robust_logit_range(lowest: FloatArray, highest: FloatArray) -> tuple[float, float]:
    """
    Return a range of logits that ignores outliers.

    A quantized layer has 256 steps for the whole range, so a single outlier would make all of
    them coarse.  Logits outside are clipped, which changes the best class only if two classes are
    clipped at once.

    Args:
        lowest: float32 ``[N]``, the smallest logit of each sample.
        highest: float32 ``[N]``, the largest.

    >>> highest = np.array([9.0, 10.0, 10.0, 5000.0], np.float32)
    >>> robust_logit_range(-highest, highest)
    (-11.0, 11.0)
    """
    left_out = min(1 + len(lowest) // _ROWS_AN_OUTLIER, len(lowest) - 1)
    low = float(np.partition(lowest, left_out)[left_out])
    high = float(-np.partition(-highest, left_out)[left_out])
    room = _ROOM * (high - low)
    return max(float(lowest.min()), low - room), min(float(highest.max()), high + room)
