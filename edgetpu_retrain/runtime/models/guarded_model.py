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
"""Guarded model: a model on an Edge TPU, which may fail or never return."""

from __future__ import annotations

from collections.abc import Callable

from edgetpu_retrain.errors import RetrainError
from edgetpu_retrain.runtime.engines.engine import Answer, Servable
from edgetpu_retrain.runtime.interpreters.guard import CallTimedOutError, Guard
from edgetpu_retrain.runtime.interpreters.image_input import nothing
from edgetpu_retrain.runtime.interpreters.preprocessing import Image
from edgetpu_retrain.runtime.models.classifier import Classifier
from edgetpu_retrain.runtime.models.extractor import Extractor


class GuardedModel:
    """
    A model on an Edge TPU, loaded and warm, and the thread in which it runs.

    Args:
        load: makes an extractor, or a classifier made from it.
        timeout_s: seconds that loading may take.

    Attributes:
        model: what was loaded; to be run by :meth:`run` only.
        loaded: its interpreter and where it runs.

    Raises:
        CallTimedOutError: when loading takes longer.
        RetrainError: what ``load`` raises.
    """

    def __init__(self, load: Callable[[], Extractor | Classifier], timeout_s: float) -> None:
        self._guard = Guard('edgetpu')
        # What hangs while it is loaded must not take the caller with it either.
        self.model = self._guard.call(load, timeout_s)
        self.loaded = self.model.loaded

    def run(
        self,
        rgb: Image,
        served: Servable | None,
        timeout_s: float,
        meanwhile: Callable[[], None] = nothing,
    ) -> Answer:
        """
        Return embedding and scores of a picture.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            served: the model that a classifier was loaded from.
            timeout_s: seconds that the pass may take.
            meanwhile: called just before the interpreter is invoked, in the model's thread.

        Raises:
            CallTimedOutError: when it takes longer; the model is of no use from then on.
            ImageError: when ``rgb`` is no such picture.
            Exception: whatever the runtime raises.
        """
        return self._guard.call(lambda: self._pass(rgb, served, meanwhile), timeout_s)

    def _pass(self, rgb: Image, served: Servable | None, meanwhile: Callable[[], None]) -> Answer:
        model, device = self.model, self.loaded.device
        if isinstance(model, Classifier):
            classified = model.classify(rgb, meanwhile)
            return Answer(classified.embedding, classified.scores, served, device, model.times)
        return Answer(model.embed(rgb, meanwhile), None, None, device, model.times)


def failure_sentence(error: Exception) -> str:
    """Return what went wrong on an Edge TPU, without the full stop."""
    if isinstance(error, CallTimedOutError):
        return f'The Edge TPU hangs ({error}) and what ran on it is left behind'
    text = ' '.join(str(error).split()).rstrip('.') or type(error).__name__
    return text if isinstance(error, RetrainError) else f'The Edge TPU failed ({text})'
