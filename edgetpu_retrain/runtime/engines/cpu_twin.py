# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
CPU twin: the fallback model that serves while an Edge TPU is down.

The CPU twin of a compiled extractor is the model from which the extractor was compiled.  The
embeddings of both are interchangeable, so samples stay valid and both can use the same head.
"""

from __future__ import annotations

from collections.abc import Callable
import time

from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.description import ModelDescription
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.runtime.engines.engine import check_kind, Inference, PreparedModel
from edgetpu_retrain.runtime.interpreters.preprocessing import RgbArray
from edgetpu_retrain.runtime.models.extractor import Extractor
from edgetpu_retrain.runtime.models.picture_model import InferenceTimes
import numpy as np


class CpuTwin:
    """
    The CPU twin of a compiled extractor, loaded and warmed up.

    The twin's file has no head.  The engine reads the head from the retrained model and passes it
    to :meth:`run`, which computes it with numpy.  So switching to another retrained model does not
    require loading another file.

    Args:
        model: bytes of the twin's .tflite file, which ships with this package or was probed.
        extractor: description of the compiled extractor.
        num_threads: number of threads for operators on the CPU.

    Raises:
        ModelFileError: if the model is not a twin of the extractor, or the runtime cannot run it.
        DeviceError: if there is no runtime.
    """

    def __init__(self, model: bytes, extractor: ModelDescription, *, num_threads: int = 1) -> None:
        self._extractor = Extractor(model, device='cpu', num_threads=num_threads)
        check_kind(self._extractor.description, extractor, 'fallback_extractor', compiled=False)
        self.runtime = self._extractor.loaded.runtime

    def run(
        self,
        rgb: RgbArray,
        served: PreparedModel | None,
        head: Head | None,
        before_invoke: Callable[[], None] | None = None,
    ) -> Inference:
        """
        Return embedding and scores of a picture.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            served: the retrained model that serves; None if there is none.
            head: the head of ``served``; None if no model serves.
            before_invoke: as in :meth:`Engine.run`.

        Raises:
            ImageError: if ``rgb`` has another type or shape, or if the output is not finite.
            DeviceError: if the CPU does not run the model.
        """
        embedding = self._extractor.embed(rgb, before_invoke)
        times = self._extractor.times
        if head is None:
            return Inference(embedding, None, None, 'cpu', times)
        begin = time.perf_counter()
        quantization = self._extractor.description.quantization
        scores = head.predict_proba(dequantize(embedding[np.newaxis], quantization))[0]
        times = InferenceTimes(times.resize_s, times.invoke_s + time.perf_counter() - begin)
        return Inference(embedding, scores, served, 'cpu', times)
