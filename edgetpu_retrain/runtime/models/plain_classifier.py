# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""PlainClassifier: any .tflite image classifier; computes class scores of a picture."""

from __future__ import annotations

from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.model_file.description import describe, ModelDescription
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.runtime.interpreters.image_input import ImageInput
from edgetpu_retrain.runtime.interpreters.interpreter import load_parsed, LoadedModel
from edgetpu_retrain.runtime.interpreters.preprocessing import Image


class PlainClassifier:
    """
    A model whose input is one picture and whose output is one score per class, loaded and warm.

    Unlike :class:`~edgetpu_retrain.runtime.models.classifier.Classifier` it accepts any layers in
    between, and has no embedding.  Use it from one thread at a time.

    Args:
        model: bytes of a .tflite file.
        device: as in :func:`~edgetpu_retrain.runtime.interpreters.interpreter.make_interpreter`.
        num_threads: threads of the CPU's operators.

    Attributes:
        description: the model's description; its dimension is the number of classes.
        loaded: the interpreter and its device.

    Raises:
        ModelFileError: if the file is not a classifier, or the runtime cannot run it.
        DeviceError: if there is no runtime, or no Edge TPU for a compiled model.
    """

    def __init__(self, model: bytes, *, device: str = 'auto', num_threads: int = 1) -> None:
        self.description: ModelDescription = describe(model)
        self.loaded: LoadedModel = load_parsed(
            model,
            compiled=self.description.compiled_for_edgetpu,
            device=device,
            num_threads=num_threads,
        )
        self._input = ImageInput(self.loaded, self.description)
        self._output = int(self.loaded.interpreter.get_output_details()[0]['index'])

    def classify(self, rgb: Image) -> FloatArray:
        """
        Return the score of each class, float32 ``[C]``.

        Args:
            rgb: uint8 ``[H, W, 3]``.

        Raises:
            ImageError: if ``rgb`` is not such a picture.
        """
        self._input.write(rgb)
        self.loaded.interpreter.invoke()
        raw = self.loaded.interpreter.get_tensor(self._output).reshape(-1)
        return dequantize(raw, self.description.quantization)
