# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""PictureModel: the base class of extractors and classifiers, which have one picture as input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import time
from typing import Any

from edgetpu_retrain.errors import (
    DeviceError,
    ImageError,
    ModelFileError,
    RetrainError,
    TOO_LITTLE_MEMORY,
)
from edgetpu_retrain.model_file.description import ModelDescription
from edgetpu_retrain.runtime.interpreters.interpreter import load_model
from edgetpu_retrain.runtime.interpreters.preprocessing import (
    check_picture,
    fit_to_input,
    RgbArray,
)
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class InferenceTimes:
    """
    The duration of each stage of one inference.

    Args:
        resize_s: seconds to resize the picture into the input tensor.
        invoke_s: seconds to invoke the model and to copy its outputs.
    """

    resize_s: float = 0.0
    invoke_s: float = 0.0


class PictureModel:
    """
    A model whose input is one picture, loaded and warmed up.

    Use it from one thread at a time.

    Args:
        model: bytes of the .tflite file.
        description: the model's description.
        device: as in :func:`~edgetpu_retrain.runtime.interpreters.interpreter.load_model`.
        num_threads: number of threads for operators on the CPU.

    Attributes:
        description: the model's description.
        loaded: the interpreter and its device.
        times: duration of each stage of the latest inference.

    Raises:
        ModelFileError: if the CPU cannot run the model, if the range of its float32 input is not
            known, or if no output has the described length.
        DeviceError: if there is no runtime, or no Edge TPU that can run a compiled model.
    """

    def __init__(
        self, model: bytes, description: ModelDescription, device: str, num_threads: int
    ) -> None:
        if description.input_dtype == 'float32' and description.normalization is None:
            raise ModelFileError(
                'the model does not state the range of its float32 input; write it into the '
                'model: `python3 -m edgetpu_retrain extractor MODEL OUT --input-range RANGE`'
            )
        compiled = description.compiled_for_edgetpu
        self.description = description
        self.loaded = load_model(model, compiled=compiled, device=device, num_threads=num_threads)
        self.times = InferenceTimes()
        interpreter = self.loaded.interpreter
        self._input = interpreter.tensor(interpreter.get_input_details()[0]['index'])
        outputs = interpreter.get_output_details()
        self._outputs = [output['index'] for output in outputs]
        # Check the sizes of the outputs now: if the file leaves the input size free, they are not
        # known before the model is loaded.
        sizes = [int(np.prod(output['shape'])) for output in outputs]
        if description.dimension not in sizes:
            _, height, width, _ = description.input_shape
            raise ModelFileError(
                f'for pictures of {width}x{height} pixels, the output {outputs[-1]["name"]!r} has '
                f'shape {outputs[-1]["shape"].tolist()}, and not one vector of '
                f'{description.dimension} numbers; give a model with a global pooling layer'
            )

    def _run(
        self, rgb: RgbArray, before_invoke: Callable[[], None] | None = None
    ) -> list[npt.NDArray[Any]]:
        """
        Return a copy of each output, as a vector; inference releases the GIL.

        Raises:
            ImageError: if ``rgb`` has another type or shape, or if an output is not finite.
            DeviceError: if the device does not run the model.
        """
        begin = time.perf_counter()
        # The interpreter cannot run while a view of the tensor exists, and a stored traceback
        # would keep a view alive.  So check the picture before creating a view.
        check_picture(rgb)
        fit_to_input(rgb, self.description, out=self._input())
        resized = time.perf_counter()
        if before_invoke is not None:
            before_invoke()
        interpreter = self.loaded.interpreter
        try:
            interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise DeviceError(failure_sentence(error, self.loaded.device)) from error
        outputs = [interpreter.get_tensor(index).reshape(-1) for index in self._outputs]
        self.times = InferenceTimes(resized - begin, time.perf_counter() - resized)
        if not all(np.isfinite(output).all() for output in outputs):
            raise ImageError(
                'the model gives numbers that are not finite for this picture: check the model '
                'and its input range'
            )
        return outputs


def failure_sentence(error: Exception, device: str) -> str:
    """
    Return one sentence, without its full stop, that describes the failure of a device.

    Args:
        error: raised while loading or running a model.
        device: ``'cpu'``, or the name of an Edge TPU.
    """
    if isinstance(error, MemoryError):
        return TOO_LITTLE_MEMORY
    text = ' '.join(str(error).split()).rstrip('.') or type(error).__name__
    if isinstance(error, RetrainError):
        return text
    what = 'The CPU did not run the model' if device == 'cpu' else 'The Edge TPU failed'
    return f'{what} ({text})'
