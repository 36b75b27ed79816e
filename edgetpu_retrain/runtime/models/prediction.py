# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Prediction: selects a class, or 'unknown', from the scores of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math

from edgetpu_retrain.learning.arrays import FloatArray
import numpy as np

UNKNOWN_CLASS = -1
"""The class index that means 'unknown'."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """
    The classification of one picture, or of several frames together.

    Args:
        scores: score of each class, float32 ``[C]``, 0 to 1; 0 for the background, whose score
            belongs to 'unknown'.
        unknown_score: score of 'unknown', 0 to 1.
        best: index of the predicted class, or :data:`UNKNOWN_CLASS`.
        background: index of the class that counts as unknown; None = there is none.
    """

    scores: FloatArray
    unknown_score: float
    best: int
    background: int | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether the picture shows none of the classes, or only the background."""
        return self.best == UNKNOWN_CLASS


def predict(
    scores: FloatArray,
    labels: Sequence[str] = (),
    *,
    unlike_all: bool = False,
    unknown_below: float = -math.inf,
    background_label: str = '',
) -> Prediction:
    """
    Return the prediction for a single picture.

    Args:
        scores: score of each class, float32 ``[C]``.
        labels: C class names, in which to find the background; ``()`` = there is none.
        unlike_all: whether the picture is unknown according to the model's unknown detector.
        unknown_below: the picture is also unknown if its best class has a lower score.
        background_label: name of the class that counts as unknown, such as 'background', the view
            of the camera without any object; '' = no class.
    """
    background, share, is_background = None, 0.0, False
    best = int(np.argmax(scores))
    if background_label and background_label in labels:
        background = labels.index(background_label)
        share, scores = float(scores[background]), scores.copy()
        is_background = best == background
        scores[background] = -math.inf
        best = int(np.argmax(scores))
        scores[background] = 0.0
    highest = float(scores[best])
    if not (unlike_all or is_background or highest < unknown_below):
        return Prediction(scores, share, best, background)
    # The unknown score is at least that of the best class, so that no class has a higher score.
    return Prediction(scores, max(1.0 - highest, highest), UNKNOWN_CLASS, background)
