# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Evaluation: a model's accuracy, confusion matrix and mistakes on labelled pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.label import BACKGROUND, UNKNOWN
from edgetpu_retrain.learning.arrays import IntArray
from edgetpu_retrain.recordings.recorded_picture import RecordedPicture
from edgetpu_retrain.runtime.models.recognizer import Recognizer
import numpy as np


@dataclass(frozen=True)
class Mistake:
    """
    One wrong classification.

    Args:
        picture: the picture's name.
        truth: the true label of the picture.
        classification: the label that the model predicted, or 'unknown'.
        score: the model's confidence, 0 to 1.
    """

    picture: str
    truth: str
    classification: str
    score: float


class Evaluation:
    """
    Classifications compared with the true labels.

    'unknown' is the correct classification of a picture whose label is the background, or is not a
    class of the model.

    Args:
        labels: the classes of the model.
        truths: the labels of the pictures, which need not be classes of the model.
        background_label: name of the class that counts as unknown; '' = none.

    Attributes:
        names: names of the rows and columns of ``confusion_matrix``: the classes, then other
            labels of the pictures, then 'unknown' unless it is one of the classes.
        confusion_matrix: int64 ``[K, K]`` for K names, numbers of pictures; row = truth, column =
            classification.
        mistakes: all wrong classifications, in the order of the pictures.
        unreadable: name of each picture that could not be read, and the reason.
    """

    def __init__(
        self, labels: Sequence[str], truths: Iterable[str], background_label: str = BACKGROUND
    ) -> None:
        self._known = frozenset(labels) - {background_label}
        strangers = [name for name in truths if name not in labels and name != UNKNOWN]
        # A model from another program may have a class named 'unknown'.
        last = () if UNKNOWN in labels else (UNKNOWN,)
        self.names: tuple[str, ...] = (*labels, *dict.fromkeys(strangers), *last)
        self._index = {name: index for index, name in enumerate(self.names)}
        size = len(self.names)
        self.confusion_matrix: IntArray = np.zeros((size, size), np.int64)
        self.mistakes: list[Mistake] = []
        self.unreadable: list[tuple[str, str]] = []

    @property
    def pictures(self) -> int:
        """Number of classified pictures."""
        return int(self.confusion_matrix.sum())

    @property
    def right(self) -> int:
        """Number of correctly classified pictures."""
        return self.pictures - len(self.mistakes)

    @property
    def accuracy(self) -> float | None:
        """Share of correct classifications, 0 to 1; None if there are no pictures."""
        return self.right / self.pictures if self.pictures else None

    def right_of(self, name: str) -> tuple[int, int]:
        """Return how many pictures of a label were classified correctly, and how many in all."""
        row = self.confusion_matrix[self._index[name]]
        return int(row[self._index[self._wanted(name)]]), int(row.sum())

    def add(self, picture: str, truth: str, classification: str, score: float) -> None:
        """Count one classification; if it is wrong, add it to ``mistakes``."""
        self.confusion_matrix[self._index[truth], self._index[classification]] += 1
        if classification != self._wanted(truth):
            self.mistakes.append(Mistake(picture, truth, classification, score))

    def _wanted(self, truth: str) -> str:
        return truth if truth in self._known else UNKNOWN


def evaluate(
    pictures: Iterable[RecordedPicture],
    recognizer: Recognizer,
    evaluation: Evaluation,
    on_picture: Callable[[], object] = lambda: None,
) -> None:
    """
    Classify labelled pictures, and add the results to an evaluation.

    Args:
        pictures: pictures with labels; unreadable ones are listed in ``evaluation.unreadable``.
        recognizer: the model.
        evaluation: receives the classifications.
        on_picture: called after each picture.

    Raises:
        RecordingError: if the rest of the recording cannot be read.
    """
    for picture in pictures:
        try:
            rgb = picture.read().for_model(recognizer.input_side)
            result = recognizer.recognize(rgb)
        except ImageError as error:
            evaluation.unreadable.append((picture.name, str(error)))
        else:
            evaluation.add(picture.name, picture.label, result.label, result.score)
        on_picture()
