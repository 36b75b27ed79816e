# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Head: the softmax layer, the only part of a model that is trained.

Training, model files, the store and the classifier all use this type.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
import math

from edgetpu_retrain.learning.arrays import FloatArray, IntArray, row_blocks
from edgetpu_retrain.learning.training_report import TrainingReport
from edgetpu_retrain.learning.unknown import UnknownDetector
import numpy as np


@dataclass(frozen=True, eq=False)
class Head:
    """
    A fully-connected layer and a softmax, for dequantized embeddings.

    Args:
        weights: float32 ``[D, C]``, D the embedding length, C the number of classes.
        bias: float32 ``[C]``.
        labels: C class names in output order, or ``()`` if the classes have no names.
        logit_range: smallest and largest logit that the quantized layer represents; (0, 0) if
            not known.
        temperature: divisor that calibration applied to weights and bias; None if the head is
            not calibrated.
        unknown: detects embeddings of no known class; None if the head has no detector.
        metrics: the report of the head's training; None if not known.

    Raises:
        ValueError: if the shapes or the number of labels are inconsistent.

    >>> head = Head(np.eye(2, dtype=np.float32), np.zeros(2, np.float32), ('cat', 'dog'))
    >>> head.labels[int(head.predict(np.array([[0.0, 3.0]], np.float32))[0])]
    'dog'
    """

    weights: FloatArray
    bias: FloatArray
    labels: tuple[str, ...] = ()
    logit_range: tuple[float, float] = (0.0, 0.0)
    temperature: float | None = None
    unknown: UnknownDetector | None = None
    metrics: TrainingReport | None = None

    def __post_init__(self) -> None:
        if self.weights.ndim != 2:
            raise ValueError(f'weights has shape {self.weights.shape}; it must be [D, C]')
        if self.bias.shape != (self.num_classes,):
            raise ValueError(
                f'bias has shape {self.bias.shape}; weights of shape {self.weights.shape} '
                f'need [{self.num_classes}]'
            )
        if self.labels and len(self.labels) != self.num_classes:
            raise ValueError(
                f'{len(self.labels)} labels were given for {self.num_classes} classes'
            )

    @property
    def feature_dim(self) -> int:
        """Length D of the embeddings that are this head's input."""
        return int(self.weights.shape[0])

    @property
    def num_classes(self) -> int:
        """Number C of classes."""
        return int(self.weights.shape[1])

    @property
    def unknown_threshold(self) -> float:
        """The unknown score above which an embedding is unknown; infinity disables detection."""
        return math.inf if self.unknown is None else self.unknown.threshold

    def unknown_scores(self, embeddings: FloatArray) -> FloatArray:
        """
        Return the unknown scores, float32 ``[N]``: the better a class fits, the lower the score.

        Args:
            embeddings: float32 ``[N, D]``, dequantized.

        Raises:
            ValueError: if this head has no unknown detector; heads from ``fit`` have one.
        """
        if self.unknown is None:
            raise ValueError(
                'this head has no unknown detector (unknown is None); train it with fit'
            )
        scores = np.empty(len(embeddings), np.float32)
        for part in row_blocks(len(embeddings)):
            block = embeddings[part]
            scores[part] = self.unknown.scores(self.logits(block), block)
        return scores

    def with_labels(self, labels: Sequence[str]) -> Head:
        """Return a copy of the head with these class names; ``()`` removes the names."""
        return replace(self, labels=tuple(labels))

    def logits(self, embeddings: FloatArray) -> FloatArray:
        """Return the logits, float32 ``[N, C]``, of float32 ``[N, D]`` embeddings."""
        return embeddings @ self.weights + self.bias

    def predict(self, embeddings: FloatArray) -> IntArray:
        """Return the most likely class index, int64 ``[N]``, of ``[N, D]`` embeddings."""
        classes = np.empty(len(embeddings), dtype=np.int64)
        for part in row_blocks(len(embeddings)):
            classes[part] = np.argmax(self.logits(embeddings[part]), axis=1)
        return classes

    def range_of_logits(self, embeddings: FloatArray) -> tuple[float, float]:
        """Return the smallest and largest logit of ``[N, D]`` embeddings, N at least 1."""
        extremes = [
            (float(logits.min()), float(logits.max()))
            for logits in (self.logits(embeddings[part]) for part in row_blocks(len(embeddings)))
        ]
        lowest, highest = zip(*extremes, strict=True)
        return min(lowest), max(highest)

    def predict_proba(self, embeddings: FloatArray) -> FloatArray:
        """Return class probabilities, float32 ``[N, C]``, of ``[N, D]`` embeddings."""
        return softmax(self.logits(embeddings))


def softmax(logits: FloatArray) -> FloatArray:
    """Return the probabilities for logits, both float32 ``[N, C]``."""
    scores: FloatArray = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores /= scores.sum(axis=1, keepdims=True)
    return scores
