# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""GuardedModel: a model on an Edge TPU, whose calls may fail or hang."""

from __future__ import annotations

from collections.abc import Callable

from edgetpu_retrain.runtime.engines.engine import infer, Inference, PreparedModel
from edgetpu_retrain.runtime.interpreters.guard import Guard
from edgetpu_retrain.runtime.interpreters.preprocessing import RgbArray
from edgetpu_retrain.runtime.models.classifier import Classifier
from edgetpu_retrain.runtime.models.extractor import Extractor


class GuardedModel:
    """
    A model on an Edge TPU, loaded and warmed up, with the thread in which it runs.

    Args:
        load: loads an extractor or a classifier.
        timeout_s: timeout for loading, in seconds.

    Attributes:
        model: the loaded model; call it only through :meth:`run`.
        loaded: the model's interpreter and device.

    Raises:
        DeviceError: if loading takes longer than ``timeout_s``.
        Exception: whatever ``load`` raises.
    """

    def __init__(self, load: Callable[[], Extractor | Classifier], timeout_s: float) -> None:
        self._guard = Guard('edgetpu')
        # Loading may hang too, so it also runs in the guard's thread.
        self.model = self._guard.call(load, timeout_s)
        self.loaded = self.model.loaded

    def run(
        self,
        rgb: RgbArray,
        served: PreparedModel | None,
        timeout_s: float,
        before_invoke: Callable[[], None] | None = None,
    ) -> Inference:
        """
        Return embedding and scores of a picture.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            served: the prepared model if the loaded model is a classifier; None for an extractor.
            timeout_s: timeout for the inference, in seconds.
            before_invoke: as in :meth:`Engine.run`.

        Raises:
            DeviceError: if the device does not run the model, or if the inference takes longer
                than ``timeout_s``; after a timeout, the model is unusable.
            ImageError: if ``rgb`` has another type or shape, or if the output is not finite.
        """
        return self._guard.call(lambda: infer(self.model, rgb, served, before_invoke), timeout_s)
