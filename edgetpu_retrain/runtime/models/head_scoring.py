# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Head scoring: runs only the head of a retrained model, on stored embeddings."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.model_file.head.cut_head import cut_head
from edgetpu_retrain.model_file.quantization import dequantize, QuantizationParameters
from edgetpu_retrain.runtime.interpreters.interpreter import load_model
import numpy as np
import numpy.typing as npt


class HeadScorer:
    """
    The head of a retrained model, loaded in a TFLite runtime.

    The scores equal those that the runtime computes with the complete model: in a quantized file,
    they are rounded, unlike those of a
    :class:`~edgetpu_retrain.runtime.models.classifier.Classifier`.  The head runs on the CPU, as
    it does in a compiled model.  Use a scorer from one thread at a time.

    Args:
        model: bytes of a retrained .tflite file.

    Raises:
        ModelFileError: if the file is not a retrained model.
        DeviceError: if there is no runtime.
    """

    def __init__(self, model: bytes) -> None:
        self._interpreter = load_model(cut_head(model), compiled=False, device='cpu').interpreter
        (self._entry,) = self._interpreter.get_input_details()
        (self._output,) = self._interpreter.get_output_details()
        self._quantization = _quantization_of(self._output)

    def scores(self, embeddings: npt.NDArray[Any]) -> FloatArray:
        """
        Return the scores of embeddings.

        Args:
            embeddings: ``[N, D]``, not dequantized, in the extractor's output type.

        Returns:
            float32 ``[N, C]``.

        Raises:
            ValueError: if the embeddings' shape or type does not match the model.
        """
        classes = int(self._output['shape'][-1])
        raw = np.empty((len(embeddings), classes), self._output['dtype'])
        for row, embedding in enumerate(embeddings):
            self._interpreter.set_tensor(
                self._entry['index'], embedding.reshape(self._entry['shape'])
            )
            self._interpreter.invoke()
            raw[row] = self._interpreter.get_tensor(self._output['index']).reshape(-1)
        return dequantize(raw, self._quantization)


def _quantization_of(tensor: dict[str, Any]) -> QuantizationParameters | None:
    """Return the quantization from an interpreter's tensor details; None for a float tensor."""
    scale, zero_point = tensor['quantization']
    if np.issubdtype(tensor['dtype'], np.floating):
        return None
    return QuantizationParameters(float(scale), int(zero_point))
