# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy and confusion matrix."""

from __future__ import annotations

from edgetpu_retrain.learning.arguments import class_indices, index_vector, whole_number
from edgetpu_retrain.learning.arrays import IntArray
import numpy as np
import numpy.typing as npt


def accuracy(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """
    Return the share of correct predictions, 0 to 1.

    Args:
        truth: integer ``[N]``, the true class indices.
        predicted: integer ``[N]``, the predicted class indices.

    Raises:
        ValueError: if the arrays are empty, not integers or of different lengths.

    >>> print(f'accuracy: {accuracy([0, 1, 2, 2], [0, 1, 2, 1]):.2%}')
    accuracy: 75.00%
    """
    expected = index_vector(truth, 'truth')
    found = index_vector(predicted, 'predicted', rows=len(expected))
    return float(np.mean(expected == found))


def confusion_matrix(truth: npt.ArrayLike, predicted: npt.ArrayLike, num_classes: int) -> IntArray:
    """
    Count how often each class was predicted for the samples of each class.

    Args:
        truth: integer ``[N]``, the true class indices.
        predicted: integer ``[N]``, the predicted class indices.
        num_classes: C, the number of classes.

    Returns:
        int64 ``[C, C]``: row = truth, column = prediction.

    Raises:
        ValueError: if an index is outside 0..C-1, or the arrays are empty, not integers or of
            different lengths.

    >>> confusion_matrix([0, 1, 2, 2], [0, 1, 2, 1], 3)
    array([[1, 0, 0],
           [0, 1, 0],
           [0, 1, 1]])
    """
    classes = whole_number(num_classes, 'num_classes', minimum=1)
    expected = class_indices(index_vector(truth, 'truth'), 'truth', classes)
    found = index_vector(predicted, 'predicted', rows=len(expected))
    class_indices(found, 'predicted', classes)
    cells = np.bincount(expected * classes + found, minlength=classes * classes)
    return cells.reshape(classes, classes).astype(np.int64, copy=False)
