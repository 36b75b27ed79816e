# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
CPU engine: runs a model on the CPU, in the caller's thread.

Inference on the CPU depends on no device that could hang, so this engine has neither a guard
thread nor a fallback model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgetpu_retrain.errors import DeviceError, ImageError
from edgetpu_retrain.model_file.head.expose_embedding import expose_embedding
from edgetpu_retrain.runtime.engines import engine
from edgetpu_retrain.runtime.interpreters.preprocessing import RgbArray
from edgetpu_retrain.runtime.interpreters.probe import probe
from edgetpu_retrain.runtime.models.classifier import Classifier
from edgetpu_retrain.runtime.models.extractor import Extractor
from edgetpu_retrain.runtime.models.picture_model import failure_sentence


@dataclass(eq=False)
class _OnCpu(engine.PreparedModel):
    """A prepared model with its loaded classifier."""

    classifier: Classifier


class CpuEngine:
    """
    The engine for extractors that are not compiled for the Edge TPU.

    Args:
        extractor: bytes of a .tflite file that ships with this package or was probed (probe.py).
        device: the device that the user requested.  The CPU is used in any case; ``note`` says so
            if an Edge TPU was requested, or if one is attached and ``device`` is 'auto'.
        num_threads: number of threads for operators on the CPU.
        report: called with one sentence at the first failure, and again at the first failure
            after a success.

    Raises:
        ModelFileError: if the file is not an extractor, or the CPU cannot run it.
        DeviceError: if there is no runtime, or ``device`` is not a device name.
    """

    def __init__(
        self,
        extractor: bytes,
        *,
        device: str = 'auto',
        num_threads: int = 1,
        report: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        model = Extractor(extractor, device=device, num_threads=num_threads)
        self._model: Extractor | Classifier | None = model
        self.description = model.description
        self.note = model.loaded.note
        self._runtime = model.loaded.runtime
        self._num_threads = num_threads
        self._report = report
        self._served: engine.PreparedModel | None = None
        self._problem = ''

    def run(
        self, rgb: RgbArray, before_invoke: Callable[[], None] | None = None
    ) -> engine.Inference:
        """Return embedding and scores of a picture; see :meth:`Engine.run`."""
        if self._model is None:
            raise DeviceError('The engine is closed.')
        try:
            inference = engine.infer(self._model, rgb, self._served, before_invoke)
        except (ImageError, MemoryError):
            raise
        except Exception as error:
            before = self._problem
            self._problem = failure_sentence(error, 'cpu')
            if not before:
                self._report(self._problem)
            raise DeviceError(self._problem) from error
        self._problem = ''
        return inference

    def prepare(self, model: bytes, *, trusted: bool = True) -> engine.PreparedModel:
        """Load a retrained model; see :meth:`Engine.prepare`."""
        if not trusted:
            probe(expose_embedding(model), device='cpu', num_threads=self._num_threads)
        classifier = Classifier(model, device='cpu', num_threads=self._num_threads)
        engine.check_kind(
            classifier.description, self.description, 'The retrained model', compiled=False
        )
        return _OnCpu(model, classifier.labels, classifier)

    def serve(self, prepared: engine.PreparedModel) -> None:
        """Serve a model from the next frame on; see :meth:`Engine.serve`."""
        if not isinstance(prepared, _OnCpu):
            raise ValueError('the model was prepared by another engine; prepare it on this one')
        # The classifier computes the embedding, too, so it replaces the extractor.
        self._model, self._served = prepared.classifier, prepared

    def retry_if_due(self) -> None:
        """Do nothing, because :meth:`run` uses the CPU again for the next frame."""

    def status(self) -> engine.EngineStatus:
        """Return the engine's status."""
        return engine.EngineStatus('cpu', self._runtime, self._problem)

    def close(self) -> None:
        """Release the models."""
        self._model = self._served = None
