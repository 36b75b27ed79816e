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
"""Setting samples aside to judge what was learned from the others."""

from __future__ import annotations

from edgetpu_retrain.learning.arguments import index_vector, real_number
from edgetpu_retrain.learning.arrays import IntArray
import numpy as np


def stratified_split(
    labels: IntArray, fraction: float, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """
    Hold out the same share of every class.

    A class with a single sample stays in training: nothing could be learned of it otherwise.
    Of any other at least one is held out and at least one kept, so that no class goes unjudged.

    Args:
        labels: int64 ``[N]``, the samples' class indices.
        fraction: the share to hold out, above 0 and below 1.
        rng: picks which; the same state gives the same split.

    Returns:
        The rows to train on and the rows to validate on, each int64 and ascending.

    Raises:
        ValueError: when labels are empty or not integers, or the fraction is out of range.

    >>> labels = np.repeat([0, 1, 2], [10, 5, 1])
    >>> train, held_out = stratified_split(labels, 0.2, np.random.default_rng(0))
    >>> print('held out per class:', np.bincount(labels[held_out], minlength=3))
    held out per class: [2 1 0]
    """
    classes = index_vector(labels, 'labels')
    share = real_number(fraction, 'fraction', above=0.0)
    if share >= 1.0:
        raise ValueError(f'fraction is {fraction!r}; it must be above 0 and below 1')
    held_out = np.zeros(len(classes), dtype=bool)
    for label in np.unique(classes):
        rows = np.flatnonzero(classes == label)
        if len(rows) > 1:
            # Half a sample rounds up, unlike round(), which goes to the even number.
            count = min(max(int(share * len(rows) + 0.5), 1), len(rows) - 1)
            held_out[rng.permutation(rows)[:count]] = True
    return (
        np.flatnonzero(~held_out).astype(np.int64, copy=False),
        np.flatnonzero(held_out).astype(np.int64, copy=False),
    )
