# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""UnknownDetection: computes the unknown score of frames with a retrained model's detector."""

from __future__ import annotations

import math
from typing import Any

from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.description import describe_embedding
from edgetpu_retrain.model_file.head.weights import read_head_weights
from edgetpu_retrain.model_file.metadata.unknown_entry import read_unknown
from edgetpu_retrain.model_file.quantization import dequantize
import numpy as np
import numpy.typing as npt


class UnknownDetection:
    """
    The unknown detector of a retrained model, read from its file.

    The unknown score needs the logits, but softmax scores only contain the differences between
    logits.  So this class computes the logits from the embedding and the weights in the file.

    Args:
        model: bytes of a retrained .tflite file.

    Attributes:
        threshold: a frame with a higher score is classified as unknown; infinity if the model has
            no detector.

    Raises:
        ModelFileError: if the file is not a retrained model, or is damaged.
    """

    def __init__(self, model: bytes) -> None:
        description = describe_embedding(model)
        self._quantization = description.quantization
        self._head: Head | None = None
        self.threshold = math.inf
        detector = read_unknown(model, description.dimension)
        if detector is not None:
            self._head = Head(*read_head_weights(model), unknown=detector)
            self.threshold = detector.threshold

    def unknown_score(self, embedding: npt.NDArray[Any]) -> float:
        """
        Return the unknown score of a frame: the better a class fits, the lower the score.

        Args:
            embedding: ``[D]``, not dequantized, in the extractor's output type.

        Returns:
            The score; NaN for a model without a detector.
        """
        if self._head is None:
            return math.nan
        real = dequantize(embedding[np.newaxis], self._quantization)
        return float(self._head.unknown_scores(real)[0])
