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
"""The hardest samples: the worst mistakes and the least confident predictions."""

from __future__ import annotations

from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.report.analysis.held_out import HeldOut
import numpy as np

MOST = 20
"""Number of samples shown of each kind."""


def worst_mistakes(held_out: HeldOut, most: int = MOST) -> IntArray:
    """
    Return the mistakes with the lowest probability of the true class, the worst first.

    Args:
        held_out: the held-out predictions.
        most: maximum number to return.

    Returns:
        int64, positions among the evaluated samples.
    """
    wrong = np.flatnonzero(~held_out.right)
    truth = held_out.probabilities[wrong, held_out.labels[wrong]]
    return wrong[np.argsort(truth, kind='stable')][:most]


def least_sure(held_out: HeldOut, most: int = MOST) -> IntArray:
    """
    Return the predictions, right or wrong, with the lowest confidence.

    Args:
        held_out: the held-out predictions.
        most: maximum number to return.

    Returns:
        int64, positions among the evaluated samples, the least confident first.
    """
    return np.argsort(held_out.probabilities.max(axis=1), kind='stable')[:most].astype(np.int64)
