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
"""The last word on a quantized head: it must be as good as the float head it was made of."""

from __future__ import annotations

from edgetpu_retrain.errors import RetrainError
from edgetpu_retrain.learning.arrays import IntArray
import numpy as np

# A quantized head may lose this share of the samples, or this many, whichever is more.
_LARGEST_LOSS = 0.01
_SAMPLES_FORGIVEN = 2


class QuantizationLoss(RetrainError):  # noqa: N818
    """A quantized head that is worse than its float head; the model is not to be used."""


def check_quantized(truth: IntArray, by_float: IntArray, by_quantized: IntArray) -> None:
    """
    Refuse a quantized head that lost more than 1 point and more than 2 samples.

    Args:
        truth: int64 ``[N]``, true classes of samples that were held out.
        by_float: int64 ``[N]``, the float head's predictions.
        by_quantized: int64 ``[N]``, those of the model file's own layers.

    Raises:
        QuantizationLoss: saying how much was lost and what to do.

    >>> check_quantized(np.zeros(300, int), np.zeros(300, int), np.repeat([0, 1], [298, 2]))
    """
    count = len(truth)
    right, left = int(np.sum(by_float == truth)), int(np.sum(by_quantized == truth))
    lost = right - left
    if lost > _SAMPLES_FORGIVEN and lost > _LARGEST_LOSS * count:
        raise QuantizationLoss(
            f'Quantization would cost too much: of {count} held-out samples the trained head has '
            f'{right} right, but only {left} once quantized. The earlier model stays. Remove '
            'samples that were labelled wrongly or show nothing, or teach more, and train again.'
        )
