# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ImageInput: writes pictures into the input tensor of a loaded model."""

from __future__ import annotations

from dataclasses import dataclass

from edgetpu_retrain.model_file.description import ModelDescription
from edgetpu_retrain.runtime.interpreters.interpreter import LoadedModel
from edgetpu_retrain.runtime.interpreters.preprocessing import check_image, fit_to_input, Image
import numpy as np


@dataclass(frozen=True)
class PassTimes:
    """
    The duration of each stage of one inference.

    Args:
        resize_s: seconds to resize the picture into the input tensor.
        invoke_s: seconds from there until embedding and scores are available.
    """

    resize_s: float = 0.0
    invoke_s: float = 0.0


class ImageInput:
    """
    The input tensor of a loaded model.

    Args:
        loaded: the model.
        description: the model's description.
    """

    def __init__(self, loaded: LoadedModel, description: ModelDescription) -> None:
        details = loaded.interpreter.get_input_details()[0]
        self.index = int(details['index'])
        self._description = description
        self._view = loaded.interpreter.tensor(self.index)

    def write(self, rgb: Image) -> None:
        """
        Resize a picture directly into the tensor, without a temporary array.

        Raises:
            ImageError: if ``rgb`` is not uint8 ``[H, W, 3]``.
        """
        # The interpreter cannot run while a view of the tensor exists, and a stored traceback
        # would keep a view alive.  So check the picture before creating one.
        check_image(rgb)
        fit_to_input(rgb, self._description, out=self._view())

    def blank(self) -> Image:
        """Return a black picture of the input's size."""
        return np.zeros(self._description.input_shape[1:], np.uint8)
