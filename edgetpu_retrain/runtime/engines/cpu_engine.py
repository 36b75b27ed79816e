# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""
CPU engine: frames on the CPU, in the thread that asks.

A pass on the CPU is a loop of arithmetic: there is no device to wait for, and so nothing that
would call for a thread that can be left behind or for a model to fall back to.
"""

from __future__ import annotations

from collections.abc import Callable

from edgetpu_retrain.errors import DeviceError, ImageError
from edgetpu_retrain.model_file.description import ModelDescription
from edgetpu_retrain.model_file.head.expose_embedding import expose_embedding
from edgetpu_retrain.runtime.engines.engine import Answer, check_kind, EngineStatus, Servable
from edgetpu_retrain.runtime.interpreters.image_input import nothing
from edgetpu_retrain.runtime.interpreters.preprocessing import Image
from edgetpu_retrain.runtime.interpreters.probe import probe
from edgetpu_retrain.runtime.models.classifier import Classifier
from edgetpu_retrain.runtime.models.extractor import Extractor


class _OnCpu(Servable):
    """A model with its classifier."""

    def __init__(self, model: bytes, classifier: Classifier) -> None:
        super().__init__(model, classifier.labels)
        self.classifier = classifier


class CpuEngine:
    """
    The engine for extractors that are not compiled for the Edge TPU.

    Args:
        extractor: bytes of the .tflite file, known to run: packaged or tried before.
        device: what the user asked for; the note says why it is the CPU.
        num_threads: threads of the operators.
        report: is told of each failure, one sentence, once.

    Raises:
        ModelFileError: when the runtime cannot run it.
        DeviceError: when there is no runtime.
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
        self._extractor: Extractor | None = model
        self._description = model.description
        self._loaded = model.loaded
        self._num_threads = num_threads
        self._report = report
        self._served: _OnCpu | None = None
        self._problem = ''

    @property
    def description(self) -> ModelDescription:
        """What the extractor takes in and puts out; samples are known by its identity."""
        return self._description

    @property
    def note(self) -> str:
        """One sentence worth telling the user at the start, or ``''``."""
        return self._loaded.note

    def run(self, rgb: Image, meanwhile: Callable[[], None] = nothing) -> Answer:
        """Return embedding and scores of a picture; see :meth:`Engine.run`."""
        try:
            answer = self._pass(rgb, meanwhile)
        except (ImageError, DeviceError):
            raise
        except Exception as error:
            before = self._problem
            self._problem = f'The CPU did not run the model ({" ".join(str(error).split())})'
            if not before:
                self._report(self._problem)
            raise DeviceError(self._problem) from error
        self._problem = ''
        return answer

    def _pass(self, rgb: Image, meanwhile: Callable[[], None]) -> Answer:
        if self._served is not None:
            classifier = self._served.classifier
            classified = classifier.classify(rgb, meanwhile)
            return Answer(
                classified.embedding, classified.scores, self._served, 'cpu', classifier.times
            )
        if self._extractor is None:
            raise DeviceError('The engine is closed.')
        embedding = self._extractor.embed(rgb, meanwhile)
        return Answer(embedding, None, None, 'cpu', self._extractor.times)

    def prepare(self, model: bytes, *, trusted: bool = True) -> Servable:
        """Load a retrained model; see :meth:`Engine.prepare`."""
        if not trusted:
            probe(expose_embedding(model), device='cpu', num_threads=self._num_threads)
        classifier = Classifier(model, device='cpu', num_threads=self._num_threads)
        check_kind(
            classifier.description, self._description, 'The retrained model', compiled=False
        )
        classifier.warm_up()
        return _OnCpu(model, classifier)

    def serve(self, servable: Servable) -> None:
        """Serve a model from the next frame on; see :meth:`Engine.serve`."""
        if not isinstance(servable, _OnCpu):
            raise ValueError('servable was prepared by another engine; prepare it on this one')
        self._served = servable
        # From here on the classifier gives the embedding too.
        self._extractor = None

    def retry_if_due(self) -> None:
        """Do nothing: each frame tries anew."""

    def status(self) -> EngineStatus:
        """Return how the engine is."""
        return EngineStatus('cpu', self._loaded.runtime, self._problem)

    def close(self) -> None:
        """Let go of the models."""
        self._extractor = self._served = None
