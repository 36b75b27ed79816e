# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""Evaluation: how often a model is right on labelled pictures, and where it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.label import UNKNOWN
from edgetpu_retrain.learning.arrays import IntArray
from edgetpu_retrain.recordings.reading import read_pictures
from edgetpu_retrain.recordings.recorded_picture import RecordedPicture
from edgetpu_retrain.runtime.models.recognizer import Recognizer
import numpy as np


@dataclass(frozen=True)
class Mistake:
    """
    One wrong answer.

    Args:
        picture: its name.
        truth: what it shows.
        answer: what the model said.
        score: how sure the model was, 0 to 1.
    """

    picture: str
    truth: str
    answer: str
    score: float


class Evaluation:
    """
    Answers held against the truth.

    Pictures of what is no class of the model are right when the answer is 'unknown'.

    Args:
        labels: the classes of the model.
        truths: the labels of the pictures; those that are no class of the model come after them.

    Attributes:
        names: of the rows and columns of ``confusion_matrix``: the classes, then what else the
            pictures show, then 'unknown'.
        confusion_matrix: pictures, int64; row = truth, column = answer.
        mistakes: every wrong answer, in the order of the pictures.
        unreadable: name of a picture that could not be read, and why.
    """

    def __init__(self, labels: Sequence[str], truths: Iterable[str]) -> None:
        self._classes = frozenset(labels)
        strangers = [name for name in truths if name not in self._classes and name != UNKNOWN]
        # A model made elsewhere may have a class of that name.
        last = () if UNKNOWN in self._classes else (UNKNOWN,)
        self.names: tuple[str, ...] = (*labels, *dict.fromkeys(strangers), *last)
        self._index = {name: index for index, name in enumerate(self.names)}
        size = len(self.names)
        self.confusion_matrix: IntArray = np.zeros((size, size), np.int64)
        self.mistakes: list[Mistake] = []
        self.unreadable: list[tuple[str, str]] = []

    @property
    def pictures(self) -> int:
        """How many were answered."""
        return int(self.confusion_matrix.sum())

    @property
    def right(self) -> int:
        """How many of them rightly."""
        return self.pictures - len(self.mistakes)

    @property
    def accuracy(self) -> float | None:
        """The share of right answers, None when there is no picture."""
        return self.right / self.pictures if self.pictures else None

    def right_of(self, name: str) -> tuple[int, int]:
        """Return how many pictures of a thing were answered rightly, and how many there were."""
        row = self.confusion_matrix[self._index[name]]
        return int(row[self._index[self._wanted(name)]]), int(row.sum())

    def add(self, picture: str, truth: str, answer: str, score: float) -> None:
        """Take one answer into account."""
        self.confusion_matrix[self._index[truth], self._index[answer]] += 1
        if answer != self._wanted(truth):
            self.mistakes.append(Mistake(picture, truth, answer, score))

    def _wanted(self, truth: str) -> str:
        return truth if truth in self._classes else UNKNOWN


def evaluate(
    pictures: Iterable[RecordedPicture],
    recognizer: Recognizer,
    evaluation: Evaluation,
    on_picture: Callable[[], object] = lambda: None,
) -> None:
    """
    Ask a model about labelled pictures.

    Args:
        pictures: each with its label; one that cannot be read is noted and passed over.
        recognizer: the model.
        evaluation: takes the answers.
        on_picture: called after each.

    Raises:
        RecordingError: when the recording cannot be read on.
    """
    for picture, rgb, fault in read_pictures(pictures):
        try:
            if rgb is None:
                raise ImageError(fault)
            answer = recognizer.recognize(rgb)
        except ImageError as error:
            evaluation.unreadable.append((picture.name, str(error)))
        else:
            evaluation.add(picture.name, picture.label, answer.label, answer.score)
        on_picture()
