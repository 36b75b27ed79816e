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
"""Recognizer: whatever classifier a user has, from a picture to one answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgetpu_retrain.errors import ModelFileError, RequestError
from edgetpu_retrain.label import UNKNOWN
from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.model_file.description import describe, describe_embedding
from edgetpu_retrain.model_file.head.expose_embedding import expose_embedding
from edgetpu_retrain.model_file.metadata.labels import read_labels
from edgetpu_retrain.runtime.interpreters.preprocessing import Image
from edgetpu_retrain.runtime.interpreters.probe import probe
from edgetpu_retrain.runtime.models.classifier import Classifier
from edgetpu_retrain.runtime.models.plain_classifier import PlainClassifier
from edgetpu_retrain.runtime.models.unknown_detection import UnknownDetection
import numpy as np


@dataclass(frozen=True, eq=False)
class Recognized:
    """
    What a model says of one picture.

    Args:
        label: the answer, 'unknown' for none of the classes.
        score: how sure it is, 0 to 1.
        unknown: whether it is none of the classes.
        scores: float32 ``[C]``, of each class.
    """

    label: str
    score: float
    unknown: bool
    scores: FloatArray


class Recognizer:
    """
    A classifier with names for its classes, loaded and warm; for one thread at a time.

    A model retrained by this project also tells what it was never taught; any other one always
    answers with one of its classes.

    Args:
        model: bytes of a .tflite file.
        labels: names of the classes, in place of those in the file; () = those.
        device: as in :func:`~edgetpu_retrain.runtime.interpreters.interpreter.make_interpreter`.
        num_threads: threads of the CPU's operators.
        trusted: whether this project wrote it.  Any other is tried in a process of its own.

    Attributes:
        labels: the names, in the order of the scores.

    Raises:
        RequestError: when there are no names, or not as many as classes.
        ModelFileError: when it is no classifier, or the runtime cannot run it.
        DeviceError: when there is no runtime, or no Edge TPU for a compiled model.
    """

    def __init__(
        self,
        model: bytes,
        *,
        labels: Sequence[str] = (),
        device: str = 'auto',
        num_threads: int = 1,
        trusted: bool = False,
    ) -> None:
        classes = describe(model).dimension
        self.labels = tuple(labels) or read_labels(model)
        if len(self.labels) != classes:
            self._refuse_labels(classes)
        unknown = _unknown_detection(model)
        if not trusted:
            tried = model if unknown is None else expose_embedding(model)
            probe(tried, device=device, num_threads=num_threads)
        self._unknown = unknown
        self._classifier: Classifier | PlainClassifier = (
            PlainClassifier if unknown is None else Classifier
        )(model, device=device, num_threads=num_threads)

    @property
    def note(self) -> str:
        """One sentence worth telling the user at the start, or ``''``."""
        return self._classifier.loaded.note

    def recognize(self, rgb: Image) -> Recognized:
        """
        Return what the model says of a picture.

        Args:
            rgb: uint8 ``[H, W, 3]``.

        Raises:
            ImageError: when ``rgb`` is no such picture.
        """
        if isinstance(self._classifier, PlainClassifier):
            scores, unknown = self._classifier.classify(rgb), False
        else:
            assert self._unknown is not None
            classified = self._classifier.classify(rgb)
            scores = classified.scores
            score = self._unknown.unknown_score(classified.embedding)
            unknown = score > self._unknown.threshold
        best = int(np.argmax(scores))
        highest = float(scores[best])
        if unknown:
            # As the node has it: what speaks for no class, and never less than for the best one.
            return Recognized(UNKNOWN, max(1.0 - highest, highest), True, scores)
        return Recognized(self.labels[best], highest, False, scores)

    def _refuse_labels(self, classes: int) -> None:
        if not self.labels:
            raise RequestError(
                f'the model has no names for its {classes} classes: give them with --labels '
                'labels.txt'
            )
        raise RequestError(
            f'there are {len(self.labels)} labels for the {classes} classes of the model: give '
            'the label file that belongs to it'
        )


def _unknown_detection(model: bytes) -> UnknownDetection | None:
    """Return the unknown detector of a retrained model, None for one that was made elsewhere."""
    try:
        describe_embedding(model)
    except ModelFileError:
        return None
    detection = UnknownDetection(model)
    return detection if np.isfinite(detection.threshold) else None
