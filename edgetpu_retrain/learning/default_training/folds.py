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
"""Cross-validation: every sample is judged by a head that has not seen it."""

from __future__ import annotations

from edgetpu_retrain.learning.arrays import IntArray
import numpy as np

# Rows of classes with a single sample: nothing could be learned of these without it.
ALWAYS_TRAINED = -1


def stratified_folds(labels: IntArray, folds: int, rng: np.random.Generator) -> IntArray:
    """
    Spread each class evenly over folds.

    Args:
        labels: int64 ``[N]``, class indices.
        folds: how many, 2 or more.
        rng: decides which sample goes where.

    Returns:
        int64 ``[N]``, the fold (0, 1, ...) in which each row is held out, or ALWAYS_TRAINED.

    >>> folds = stratified_folds(np.array([0, 0, 1, 1, 2]), 2, np.random.default_rng(0))
    >>> sorted(folds[:2].tolist()), sorted(folds[2:4].tolist()), int(folds[4])
    ([0, 1], [0, 1], -1)
    """
    fold = np.full(len(labels), ALWAYS_TRAINED, np.int64)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        if len(rows) > 1:
            # Small classes must not all begin with the same fold.
            fold[rows] = (np.arange(len(rows)) + rng.integers(folds)) % folds
    return fold
