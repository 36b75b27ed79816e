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
"""UnknownDetection: whether a frame looks like anything that the model was taught."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.model_file.description import describe_embedding
from edgetpu_retrain.model_file.head_weights import read_head_weights
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.model_file.unknown_entry import read_unknown
import numpy as np
import numpy.typing as npt


class UnknownDetection:
    """
    The unknown detector of a retrained model, read from its file.

    The score needs the logits, of which the scores, after the softmax, keep only differences.  So
    they are computed here from the embedding and the file's own weights: some microseconds.

    Args:
        model: bytes of a retrained .tflite file.

    Attributes:
        threshold: scores above it mean unknown; infinity for a model that cannot tell.

    Raises:
        ModelFileError: when the file is no retrained model, or damaged.
    """

    def __init__(self, model: bytes) -> None:
        description = describe_embedding(model)
        self._quantization = description.quantization
        self._detector = read_unknown(model, description.dimension)
        self.threshold = float('inf')
        if self._detector is not None:
            self._weights, self._bias = read_head_weights(model)
            self.threshold = self._detector.threshold

    def unknown_score(self, embedding: npt.NDArray[Any]) -> float:
        """
        Return how unknown a frame looks; the larger, the less it fits any class.

        Args:
            embedding: raw ``[D]``, as the extractor wrote it.

        Returns:
            The score, NaN for a model that cannot tell.
        """
        if self._detector is None:
            return float('nan')
        real = dequantize(embedding[np.newaxis], self._quantization)
        return float(self._detector.scores(real @ self._weights + self._bias, real)[0])
