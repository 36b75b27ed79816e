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
"""Head scoring: run only the head of a retrained model, on embeddings that are already there."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.learning.head import FloatArray
from edgetpu_retrain.model_file.cut_head import cut_head
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.runtime.classifier import quantization_of
from edgetpu_retrain.runtime.interpreter import make_interpreter
import numpy as np
import numpy.typing as npt


def score_embeddings(model: bytes, embeddings: npt.NDArray[Any]) -> FloatArray:
    """
    Return the scores that a retrained model gives to embeddings, by the model's own layers.

    It runs on the CPU, where the head runs in a compiled model too.

    Args:
        model: bytes of a retrained .tflite file.
        embeddings: ``[N, D]``, raw, in the extractor's output type.

    Returns:
        float32 ``[N, C]``.

    Raises:
        ModelFileError: when the file is no retrained model.
        ValueError: when the embeddings' shape or type is not that of the model's.
    """
    interpreter = make_interpreter(cut_head(model), device='cpu').interpreter
    (entry,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()
    dimension, dtype = int(entry['shape'][-1]), np.dtype(entry['dtype'])
    if embeddings.ndim != 2 or embeddings.shape[1] != dimension or embeddings.dtype != dtype:
        raise ValueError(
            f'embeddings is {embeddings.dtype} {list(embeddings.shape)}; this model needs '
            f'{dtype} [N, {dimension}]'
        )
    scores = np.empty((len(embeddings), int(output['shape'][-1])), output['dtype'])
    for row, embedding in enumerate(embeddings):
        interpreter.set_tensor(entry['index'], embedding.reshape(entry['shape']))
        interpreter.invoke()
        scores[row] = interpreter.get_tensor(output['index']).reshape(-1)
    return dequantize(scores, quantization_of(output))
