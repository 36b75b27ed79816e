# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Smoothing: one steady answer from the last frames of a camera.

The scores are averaged over the last k frames.  The answer changes only when another class leads
by more than a margin, since a mean near the border between two classes still goes to and fro.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from edgetpu_retrain.learning.arrays import FloatArray
import numpy as np

UNKNOWN_CLASS = -1
"""Stands for 'unknown' where a class index is meant."""


@dataclass(frozen=True, eq=False)
class Opinion:
    """
    What one frame, or several together, say.

    Args:
        scores: float32 ``[C]``, the probability of each class.
        unknown_score: how much speaks for none of them, 0 to 1; 0 when a class was recognized.
        best: index of the answer, :data:`UNKNOWN_CLASS` when it is none of the classes.
    """

    scores: FloatArray
    unknown_score: float
    best: int


def opinion_of_frame(scores: FloatArray, *, unknown: bool) -> Opinion:
    """
    Return what a frame alone says.

    Args:
        scores: float32 ``[C]``.
        unknown: whether it is like none of the classes.
    """
    best = int(np.argmax(scores))
    if not unknown:
        return Opinion(scores, 0.0, best)
    # At least that of the best class, so that the first hypothesis also has the highest score.
    return Opinion(scores, max(1.0 - float(scores[best]), float(scores[best])), UNKNOWN_CLASS)


class Smoothing:
    """
    The memory of one camera's frames; not thread-safe.

    >>> smoothing = Smoothing()
    >>> for score in (0.9, 0.2, 0.9):
    ...     frame = opinion_of_frame(np.array([score, 1 - score], np.float32), unknown=False)
    ...     print(smoothing.add(frame, model_version=1, frames=3, hysteresis=0.1).best, end=' ')
    0 0 0
    """

    def __init__(self) -> None:
        self._frames: deque[Opinion] = deque()
        self._model_version = 0
        self._shown: int | None = None

    def add(
        self, frame: Opinion, *, model_version: int, frames: int, hysteresis: float
    ) -> Opinion:
        """
        Take one more frame and return the answer of the last ones together.

        Args:
            frame: what it says alone.
            model_version: of the model that said so; frames of different ones are not mixed.
            frames: how many to smooth over, 1 = this one alone.
            hysteresis: by how much the mean score of another class must lead that of the last
                answer to take its place, 0 to 1.
        """
        if model_version != self._model_version or frames == 1:
            self._frames.clear()
            self._shown = None
            self._model_version = model_version
        self._frames.append(frame)
        while len(self._frames) > frames:
            self._frames.popleft()
        if frames == 1:
            return frame
        # What speaks for none of the classes does not speak for them.
        weighted = [(1.0 - each.unknown_score) * each.scores for each in self._frames]
        scores = np.mean(weighted, axis=0, dtype=np.float32)
        unknown_score = sum(each.unknown_score for each in self._frames) / len(self._frames)
        self._shown = self._answer(scores, unknown_score, hysteresis)
        return Opinion(scores, unknown_score, self._shown)

    def _answer(self, scores: FloatArray, unknown_score: float, hysteresis: float) -> int:
        best = int(np.argmax(scores))
        if unknown_score > 0.0 and unknown_score >= scores[best]:
            best = UNKNOWN_CLASS
        if self._shown is None:
            return best

        def score_of(number: int) -> float:
            return unknown_score if number == UNKNOWN_CLASS else float(scores[number])

        leads = score_of(best) - score_of(self._shown) > hysteresis
        return best if leads else self._shown
