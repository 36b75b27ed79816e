# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""UnknownDetection: computes the unknown score of frames with a retrained model's detector."""

from __future__ import annotations

import math
from typing import Any

from edgetpu_retrain.learning.unknown import unknown_scores
from edgetpu_retrain.model_file.description import describe_embedding
from edgetpu_retrain.model_file.head.weights import read_head_weights
from edgetpu_retrain.model_file.metadata.unknown_entry import read_unknown
import numpy as np
import numpy.typing as npt


class UnknownDetection:
    """
    The unknown detector of a retrained model, read from its file.

    The unknown score needs the logits, and the softmax scores preserve only their differences.
    So this class computes the logits from the embedding and the file's weights.  Dequantization
    is folded into the weights, which saves most of the time per frame.

    Args:
        model: bytes of a retrained .tflite file.

    Attributes:
        threshold: scores above it mean unknown; infinity for a model without a detector.

    Raises:
        ModelFileError: if the file is not a retrained model, or is damaged.
    """

    def __init__(self, model: bytes) -> None:
        description = describe_embedding(model)
        self._quantization = description.quantization
        self._detector = read_unknown(model, description.dimension)
        self.threshold = float('inf')
        if self._detector is not None:
            quantization = self._quantization
            scale = np.float32(1.0 if quantization is None else quantization.scale)
            zero_point = np.float32(0 if quantization is None else quantization.zero_point)
            weights, bias = read_head_weights(model)
            self._weights = weights * scale
            self._bias = bias - zero_point * self._weights.sum(axis=0)
            root = np.float32(math.sqrt(description.dimension))
            self._gain = self._detector.gain * scale / root
            self._offset = (self._detector.center / scale + zero_point) * self._gain
            self.threshold = self._detector.threshold

    def unknown_score(self, embedding: npt.NDArray[Any]) -> float:
        """
        Return the unknown score of a frame; the larger, the less it fits any class.

        Args:
            embedding: raw ``[D]``, in the extractor's output type.

        Returns:
            The score, NaN for a model without a detector.
        """
        if self._detector is None:
            return float('nan')
        numbers = embedding.astype(np.float32)
        feature = numbers * self._gain
        feature -= self._offset
        length = math.sqrt(feature.dot(feature))
        logits = numbers.dot(self._weights)
        logits += self._bias
        return float(unknown_scores(logits[np.newaxis], np.array([length], np.float32))[0])
