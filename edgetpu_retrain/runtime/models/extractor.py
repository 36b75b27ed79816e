# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Embedding extractor: computes the embedding of a picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.runtime.interpreters.preprocessing import RgbArray
from edgetpu_retrain.runtime.models.picture_model import PictureModel
import numpy.typing as npt


class Extractor(PictureModel):
    """
    A model with one picture as its input and one vector as its output, loaded and warmed up.

    Use it from one thread at a time; ``embed`` releases the GIL during inference.

    Args:
        model: bytes of the .tflite file.
        device: as in :func:`~edgetpu_retrain.runtime.interpreters.interpreter.load_model`.
        num_threads: number of threads for operators on the CPU.

    Raises:
        ModelFileError: if the file is not an extractor, or the CPU cannot run it.
        DeviceError: if there is no runtime, or no Edge TPU that can run a compiled model.
    """

    def __init__(self, model: bytes, *, device: str = 'auto', num_threads: int = 1) -> None:
        super().__init__(model, describe(model), device, num_threads)

    def embed(
        self, rgb: RgbArray, before_invoke: Callable[[], None] | None = None
    ) -> npt.NDArray[Any]:
        """
        Return the embedding of a picture.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            before_invoke: called after the input is filled, right before inference releases the
                GIL.

        Returns:
            ``[D]``, not dequantized, in the extractor's output type; scale and zero point are in
            ``description.quantization``.  The caller owns the array.

        Raises:
            ImageError: if ``rgb`` has another type or shape, or if the output is not finite.
            DeviceError: if the device does not run the model.
        """
        return self._run(rgb, before_invoke)[0]
