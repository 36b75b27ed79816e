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
"""Classifier: a retrained model, from a picture to class scores and the embedding in one pass."""

from __future__ import annotations

from dataclasses import dataclass
import math
import time
from typing import Any

from edgetpu_retrain.learning.head import FloatArray
from edgetpu_retrain.model_file.description import describe_embedding, ModelDescription
from edgetpu_retrain.model_file.expose_embedding import expose_embedding
from edgetpu_retrain.model_file.labels import read_labels
from edgetpu_retrain.model_file.quantization import dequantize, QuantizationParameters
from edgetpu_retrain.model_file.unknown_entry import read_unknown
from edgetpu_retrain.runtime.image_input import ImageInput, PassTimes
from edgetpu_retrain.runtime.interpreter import load_parsed, LoadedModel
from edgetpu_retrain.runtime.preprocessing import Image
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Classified:
    """
    What one pass through a retrained model gives.

    Args:
        scores: float32 ``[C]``, the probability of each class, in the order of the labels.
        embedding: ``[D]``, raw, in the extractor's output type.
        unknown_score: how unlike anything taught the picture looks; above the classifier's
            ``unknown_threshold`` means unknown.  NaN when the model cannot tell.
    """

    scores: FloatArray
    embedding: npt.NDArray[Any]
    unknown_score: float = math.nan


class Classifier:
    """
    A retrained model, loaded and warm.

    It belongs to one thread at a time; ``classify`` lets other threads of Python run meanwhile.

    Args:
        model: bytes of a retrained .tflite file, as it is stored and handed to users.  What runs
            is a copy of it with the embedding as a second output.
        device: as in :func:`~edgetpu_retrain.runtime.interpreter.make_interpreter`.
        num_threads: threads of the CPU's operators.

    Attributes:
        labels: the class names that the file carries, ``()`` when it carries none.
        unknown_threshold: unknown scores above it mean unknown; infinity when nothing does.
        description: input, embedding and its quantization, as in the extractor's description;
            ``identity`` is the retrained file's own.
        loaded: the interpreter and where it runs.
        times: how long the latest ``classify`` took.

    Raises:
        ModelFileError: when the file is no retrained model, or the runtime cannot run it.
        DeviceError: when there is no runtime, or no Edge TPU for a compiled model.
    """

    def __init__(self, model: bytes, *, device: str = 'auto', num_threads: int = 1) -> None:
        self.model = model
        self.labels: tuple[str, ...] = read_labels(model)
        self.description: ModelDescription = describe_embedding(model)
        self._unknown = read_unknown(model, self.description.dimension)
        self.unknown_threshold = math.inf if self._unknown is None else self._unknown.threshold
        self.loaded: LoadedModel = load_parsed(
            expose_embedding(model, logits=self._unknown is not None),
            compiled=self.description.compiled_for_edgetpu,
            device=device,
            num_threads=num_threads,
        )
        scores, embedding, *logits = self.loaded.interpreter.get_output_details()
        self._scores, self._embedding = int(scores['index']), int(embedding['index'])
        self._logits = [(int(each['index']), quantization_of(each)) for each in logits]
        self._score_quantization = quantization_of(scores)
        self.times = PassTimes()
        self._input = ImageInput(self.loaded, self.description)

    def classify(self, rgb: Image) -> Classified:
        """
        Return scores and embedding of a picture.

        Args:
            rgb: uint8 ``[H, W, 3]``.

        Raises:
            ImageError: when ``rgb`` is no such picture.
        """
        interpreter = self.loaded.interpreter
        begin = time.perf_counter()
        self._input.write(rgb)
        written = time.perf_counter()
        interpreter.invoke()
        raw = interpreter.get_tensor(self._scores).reshape(-1)
        embedding = interpreter.get_tensor(self._embedding).reshape(-1)
        scores = dequantize(raw, self._score_quantization)
        self.times = PassTimes(written - begin, time.perf_counter() - written)
        return Classified(scores, embedding, self._unknown_score(embedding))

    def _unknown_score(self, embedding: npt.NDArray[Any]) -> float:
        if self._unknown is None:
            return math.nan
        ((index, quantization),) = self._logits
        raw = self.loaded.interpreter.get_tensor(index).reshape(1, -1)
        logits = dequantize(raw, quantization)
        features = dequantize(embedding[np.newaxis], self.description.quantization)
        return float(self._unknown.scores(logits, features)[0])

    def warm_up(self) -> None:
        """Go the whole way of a frame once, so that the first real one is as fast as the rest."""
        self.classify(self._input.blank())


def quantization_of(tensor: dict[str, Any]) -> QuantizationParameters | None:
    """Return the quantization in an interpreter's tensor details, None for a float tensor."""
    scale, zero_point = tensor['quantization']
    if np.issubdtype(tensor['dtype'], np.floating):
        return None
    return QuantizationParameters(float(scale), int(zero_point))
