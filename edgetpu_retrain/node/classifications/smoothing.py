# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Smoothing: a stable classification from the last frames of a camera.

The scores are averaged over the last k frames.  The class changes only if the mean score of
another class is higher by a margin.  Without the margin, the class would alternate while the means
of two classes are close.
"""

from __future__ import annotations

from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.runtime.models.prediction import Prediction, UNKNOWN_CLASS
import numpy as np


class Smoothing:
    """
    Combines the predictions for a camera's last frames; not thread-safe.

    >>> from edgetpu_retrain.runtime.models.prediction import predict
    >>> smoothing, classes = Smoothing(), []
    >>> for score in (0.9, 0.2, 0.9):
    ...     frame = predict(np.array([score, 1 - score], np.float32))
    ...     smoothed = smoothing.add(frame, model_version=1, frames=3, hysteresis=0.1)
    ...     classes.append(smoothed.best)
    >>> classes
    [0, 0, 0]
    """

    def __init__(self) -> None:
        self._frames: list[Prediction] = []
        self._model_version = 0
        self._current: int | None = None

    def add(
        self, frame: Prediction, *, model_version: int, frames: int, hysteresis: float
    ) -> Prediction:
        """
        Add a frame, and return the prediction for the last frames combined.

        Args:
            frame: the prediction for this frame alone.
            model_version: version of the model; frames of different versions are not combined.
            frames: number of frames to combine; 1 = no smoothing.
            hysteresis: margin by which another class's mean score must exceed the current class's
                to replace it, 0 to 1.
        """
        if model_version != self._model_version or frames == 1:
            self._frames, self._current, self._model_version = [], None, model_version
        self._frames = [*self._frames, frame][-frames:]
        if frames == 1:
            return frame
        scores = np.mean([_shared_out(each) for each in self._frames], axis=0, dtype=np.float32)
        unknown_score = sum(each.unknown_score for each in self._frames) / len(self._frames)
        self._current = self._choose(scores, unknown_score, hysteresis)
        return Prediction(scores, unknown_score, self._current, frame.background)

    def _choose(self, scores: FloatArray, unknown_score: float, hysteresis: float) -> int:
        best = int(np.argmax(scores))
        if unknown_score > 0.0 and unknown_score >= scores[best]:
            best = UNKNOWN_CLASS
        # UNKNOWN_CLASS is -1, the index of the last score.
        extended = [*scores.tolist(), unknown_score]
        if self._current is None or extended[best] - extended[self._current] > hysteresis:
            return best
        return self._current


def _shared_out(frame: Prediction) -> FloatArray:
    """
    Return the class scores of a frame, scaled so that their sum is 1 minus the unknown score.

    The higher the unknown score of a frame, the less its class scores count.
    """
    total = float(frame.scores.sum())
    scores: FloatArray = frame.scores * np.float32((1.0 - frame.unknown_score) / (total or 1.0))
    return scores
