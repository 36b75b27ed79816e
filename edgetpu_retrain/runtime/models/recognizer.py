# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Recognizer: classifies pictures with any image classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.label import BACKGROUND, UNKNOWN
from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.model_file.choices import ModelChoices, NO_CHOICES
from edgetpu_retrain.model_file.classifier_file import make_classifier
from edgetpu_retrain.model_file.description import describe_embedding
from edgetpu_retrain.model_file.head.expose_embedding import expose_embedding
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.runtime.interpreters.preprocessing import RgbArray
from edgetpu_retrain.runtime.interpreters.probe import probe
from edgetpu_retrain.runtime.models.classifier import Classifier
from edgetpu_retrain.runtime.models.extractor import Extractor
from edgetpu_retrain.runtime.models.prediction import predict
from edgetpu_retrain.runtime.models.unknown_detection import UnknownDetection
import numpy as np


@dataclass(frozen=True, eq=False)
class Recognized:
    """
    The classification of one picture.

    Args:
        label: the class, or 'unknown'.
        score: confidence, 0 to 1.
        unknown: whether the picture is classified as unknown.
        scores: float32 ``[C]``, the score of each class.
    """

    label: str
    score: float
    unknown: bool
    scores: FloatArray


class Recognizer:
    """
    A classifier with class names, loaded and warmed up; use it from one thread at a time.

    A picture is classified as 'unknown' if its best class is the background.  If the model has an
    unknown detector, as models that were retrained by this project usually have, a picture that is
    unlike all classes is classified as 'unknown', too.

    Args:
        model: bytes of a .tflite file.
        labels: class names that replace those in the file; ``()`` uses those in the file.
        device: as in :func:`~edgetpu_retrain.runtime.interpreters.interpreter.load_model`.
        num_threads: number of threads for operators on the CPU.
        trusted: whether this project wrote the file.  Any other file is first probed in a child
            process.
        choices: the user's choices for the file.
        background_label: name of the class that counts as unknown; '' = none.

    Attributes:
        labels: the class names, in the order of the scores.
        background_label: name of the class that counts as unknown; '' = none.
        notes: sentences for the user at startup.

    Raises:
        RequestError: if there are no class names, or the number of ``labels`` differs from the
            number of classes.
        ModelFileError: if the file cannot be used as a classifier, its own class names do not
            match its output, or the CPU cannot run it.
        DeviceError: if there is no runtime, or no Edge TPU that can run a compiled model.
    """

    def __init__(
        self,
        model: bytes,
        *,
        labels: Sequence[str] = (),
        device: str = 'auto',
        num_threads: int = 1,
        trusted: bool = False,
        choices: ModelChoices = NO_CHOICES,
        background_label: str = BACKGROUND,
    ) -> None:
        file = make_classifier(model, choices, labels)
        model, self.labels = file.model, file.labels
        self._gives_logits, self._is_binary = file.gives_logits, file.is_binary
        self.background_label = background_label
        self._unknown = _unknown_detection(model)
        # A model without an unknown detector may end in any layers, so it is run as it is.
        plain = self._unknown is None
        if not trusted:
            loadable = model if plain else expose_embedding(model)
            probe(loadable, device=device, num_threads=num_threads)
        load = Extractor if plain else Classifier
        self._model = load(model, device=device, num_threads=num_threads)
        self.notes = tuple(filter(None, (*file.notes, self._model.loaded.note)))

    @property
    def input_side(self) -> int:
        """The longer side of the input, in pixels."""
        return self._model.description.input_side

    def recognize(self, rgb: RgbArray) -> Recognized:
        """
        Return the classification of a picture.

        Args:
            rgb: uint8 ``[H, W, 3]``.

        Raises:
            ImageError: if ``rgb`` has another type or shape, or if the output is not finite.
            DeviceError: if the device does not run the model.
        """
        unlike_all = False
        if isinstance(self._model, Extractor):
            # __init__ loads a plain classifier as an Extractor; its output vector contains scores
            # or logits.
            scores = dequantize(self._model.embed(rgb), self._model.description.quantization)
            if self._is_binary:
                # The minimum keeps exp() finite in float32.
                logistic = 1 / (1 + np.exp(np.minimum(-scores, 80)))
                (score,) = logistic if self._gives_logits else scores
                scores = np.array([1 - score, score], np.float32)
            elif self._gives_logits:
                scores = np.exp(scores - scores.max())
                scores /= scores.sum()
        else:
            classified = self._model.classify(rgb)
            scores = classified.scores
            if self._unknown is not None:
                score = self._unknown.unknown_score(classified.embedding)
                unlike_all = score > self._unknown.threshold
        found = predict(
            scores, self.labels, unlike_all=unlike_all, background_label=self.background_label
        )
        if found.is_unknown:
            return Recognized(UNKNOWN, found.unknown_score, True, scores)
        return Recognized(self.labels[found.best], float(found.scores[found.best]), False, scores)


def _unknown_detection(model: bytes) -> UnknownDetection | None:
    """Return a model's unknown detector; None if it has none or its threshold is infinite."""
    try:
        describe_embedding(model)
    except ModelFileError:
        return None
    detection = UnknownDetection(model)
    return detection if np.isfinite(detection.threshold) else None
