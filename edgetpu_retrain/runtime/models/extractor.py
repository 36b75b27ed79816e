# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Extractor: the frozen part of a model; computes the embedding of a picture."""

from __future__ import annotations

import time
from typing import Any

from edgetpu_retrain.model_file.description import describe, ModelDescription
from edgetpu_retrain.runtime.interpreters.image_input import ImageInput, PassTimes
from edgetpu_retrain.runtime.interpreters.interpreter import load_parsed, LoadedModel
from edgetpu_retrain.runtime.interpreters.preprocessing import Image
import numpy.typing as npt


class Extractor:
    """
    An embedding extractor, loaded and warmed up.

    Use it from one thread at a time; ``embed`` releases the GIL during inference.

    Args:
        model: bytes of the extractor's .tflite file.
        device: as in :func:`~edgetpu_retrain.runtime.interpreters.interpreter.make_interpreter`.
        num_threads: threads of the CPU's operators.

    Attributes:
        description: the model's description.
        loaded: the interpreter and its device.
        times: stage durations of the latest ``embed``.

    Raises:
        ModelFileError: if the file is not an extractor, or the runtime cannot run it.
        DeviceError: if there is no runtime, or no Edge TPU for a compiled model.
    """

    def __init__(self, model: bytes, *, device: str = 'auto', num_threads: int = 1) -> None:
        self.model = model
        self.description: ModelDescription = describe(model)
        self.loaded: LoadedModel = load_parsed(
            model,
            compiled=self.description.compiled_for_edgetpu,
            device=device,
            num_threads=num_threads,
        )
        self._input = ImageInput(self.loaded, self.description)
        self.times = PassTimes()
        self._output = int(self.loaded.interpreter.get_output_details()[0]['index'])

    def embed(self, rgb: Image) -> npt.NDArray[Any]:
        """
        Return the embedding of a picture.

        Args:
            rgb: uint8 ``[H, W, 3]``.

        Returns:
            ``[D]`` in the extractor's output type, raw: scale and zero point are in
            ``description.quantization``.  The caller owns the array.

        Raises:
            ImageError: if ``rgb`` is not such a picture.
        """
        begin = time.perf_counter()
        self._input.write(rgb)
        written = time.perf_counter()
        embedding = self._invoke()
        self.times = PassTimes(written - begin, time.perf_counter() - written)
        return embedding

    def embed_input(self, tensor: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """
        Return the embedding of a preprocessed picture.

        Args:
            tensor: ``[1, h, w, 3]`` in the input's type.

        Raises:
            ValueError: if shape or type differ from the input tensor's.
        """
        shape, dtype = self.description.input_shape, self.description.input_dtype
        if tensor.shape != shape or tensor.dtype != dtype:
            raise ValueError(
                f'tensor is {tensor.dtype} {list(tensor.shape)}; it must be {dtype} {list(shape)}'
            )
        self.loaded.interpreter.set_tensor(self._input.index, tensor)
        return self._invoke()

    def _invoke(self) -> npt.NDArray[Any]:
        self.loaded.interpreter.invoke()
        return self.loaded.interpreter.get_tensor(self._output).reshape(-1)
