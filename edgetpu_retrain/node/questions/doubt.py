# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Doubt: whether the classification of a frame is uncertain; does not depend on ROS."""

from __future__ import annotations

from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.store.questions.question import QuestionKind
import numpy as np

MIN_MARGIN = 0.2
"""
Difference between the two highest scores below which a classification is uncertain.

docs/benchmarks.md has the measurements.
"""


def doubt(
    scores: FloatArray,
    *,
    unlike_all: bool,
    unknown_below: float = 0.0,
    background: int | None = None,
) -> QuestionKind | None:
    """
    Return why a classification is uncertain; None if it is certain.

    A frame of the background is published as unknown, but this alone does not make its
    classification uncertain.

    Args:
        scores: score of each class, float32 ``[C]``.
        unlike_all: whether the frame is unknown according to the model's unknown detector.
        unknown_below: the frame is also unknown if the score of its best class is lower than this,
            unless the best class is the background.
        background: index of the background's class; None = there is none.

    Returns:
        'unknown' if the frame is unknown, 'margin' if the two highest scores are close, or None.
    """
    best = int(np.argmax(scores))
    highest = float(scores[best])
    if unlike_all or (best != background and highest < unknown_below):
        return 'unknown'
    if len(scores) > 1 and highest - float(np.partition(scores, -2)[-2]) < MIN_MARGIN:
        return 'margin'
    return None
