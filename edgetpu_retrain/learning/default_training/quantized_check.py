# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Check that a quantized head is as accurate as its float head."""

from __future__ import annotations

from edgetpu_retrain.errors import RetrainError
from edgetpu_retrain.learning.arrays import IntArray
import numpy as np

# A quantized head may lose this share of the samples or this number, whichever is larger.
_LARGEST_LOSS = 0.01
_SAMPLES_FORGIVEN = 2


class QuantizationLoss(RetrainError):  # noqa: N818
    """Raised if a quantized head is worse than its float head; the model must not be used."""


def check_quantized(truth: IntArray, by_float: IntArray, by_quantized: IntArray) -> None:
    """
    Raise if a quantized head lost more than 1 % and more than 2 of the samples.

    Args:
        truth: int64 ``[N]``, true classes of the held-out samples.
        by_float: int64 ``[N]``, predictions of the float head.
        by_quantized: int64 ``[N]``, predictions of the quantized layers in the model file.

    Raises:
        QuantizationLoss: states the loss and how to avoid it.

    >>> check_quantized(np.zeros(300, int), np.zeros(300, int), np.repeat([0, 1], [298, 2]))
    """
    count = len(truth)
    right, left = int(np.sum(by_float == truth)), int(np.sum(by_quantized == truth))
    lost = right - left
    if lost > _SAMPLES_FORGIVEN and lost > _LARGEST_LOSS * count:
        raise QuantizationLoss(
            f'Quantization would cost too much: of {count} held-out samples the trained head has '
            f'{right} right, but only {left} once quantized. The earlier model stays. Remove '
            'mislabelled or empty samples, or add more samples, and train again.'
        )
