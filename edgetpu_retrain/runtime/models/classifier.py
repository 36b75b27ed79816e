# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Classifier: computes class scores and the embedding with a retrained model, in one inference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.description import describe_embedding
from edgetpu_retrain.model_file.head.expose_embedding import expose_embedding
from edgetpu_retrain.model_file.head.weights import read_head_weights
from edgetpu_retrain.model_file.metadata.labels import read_labels
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.runtime.interpreters.preprocessing import RgbArray
from edgetpu_retrain.runtime.models.picture_model import PictureModel
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Classified:
    """
    The result of one inference of a retrained model.

    Args:
        scores: float32 ``[C]``, the probability of each class, in the order of the labels.
        embedding: ``[D]``, not dequantized, in the extractor's output type.
    """

    scores: FloatArray
    embedding: npt.NDArray[Any]


class Classifier(PictureModel):
    """
    A retrained model, loaded and warmed up.

    Use it from one thread at a time; ``classify`` releases the GIL during inference.

    The scores are computed in float, from the embedding and the weights in the file.  A quantized
    file's own layers round scores and logits to 256 steps, so with many classes, the best scores
    would often be equal.

    Args:
        model: bytes of a retrained .tflite file, as stored.  The loaded model is a copy with the
            embedding as a second output.
        device: as in :func:`~edgetpu_retrain.runtime.interpreters.interpreter.load_model`.
        num_threads: number of threads for operators on the CPU.

    Attributes:
        labels: the class names in the file, ``()`` if it has none.
        description: the extractor's input and output, except that ``identity`` is that of the
            retrained file.

    Raises:
        ModelFileError: if the file is not a retrained model, or the CPU cannot run it.
        DeviceError: if there is no runtime, or no Edge TPU that can run a compiled model.
    """

    def __init__(self, model: bytes, *, device: str = 'auto', num_threads: int = 1) -> None:
        self.labels = read_labels(model)
        super().__init__(expose_embedding(model), describe_embedding(model), device, num_threads)
        self._head = Head(*read_head_weights(model))

    def classify(
        self, rgb: RgbArray, before_invoke: Callable[[], None] | None = None
    ) -> Classified:
        """
        Return scores and embedding of a picture.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            before_invoke: called after the input is filled, right before inference releases the
                GIL.

        Raises:
            ImageError: if ``rgb`` has another type or shape, or if the output is not finite.
            DeviceError: if the device does not run the model.
        """
        _, embedding = self._run(rgb, before_invoke)
        real = dequantize(embedding[np.newaxis], self.description.quantization)
        return Classified(self._head.predict_proba(real)[0], embedding)
