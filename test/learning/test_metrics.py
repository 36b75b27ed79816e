# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.learning import accuracy, confusion_matrix
import numpy as np
import pytest


def test_accuracy_is_a_share() -> None:
    share = accuracy(np.array([0, 1, 2, 3]), np.array([0, 1, 0, 3]))
    assert type(share) is float
    assert share == 0.75


def test_rows_of_the_confusion_matrix_are_the_truth() -> None:
    matrix = confusion_matrix([0, 0, 2, 2, 2], [0, 1, 2, 2, 0], 4)
    assert matrix.dtype == np.int64
    assert matrix.tolist() == [[1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 2, 0], [0, 0, 0, 0]]


def test_mismatched_arguments_are_rejected() -> None:
    with pytest.raises(ValueError, match='predicted has 2 entries; there must be 3'):
        accuracy([0, 1, 1], [0, 1])
    with pytest.raises(ValueError, match='truth has shape'):
        accuracy([], [])
    with pytest.raises(ValueError, match=r'truth has dtype float64'):
        accuracy([0.5], [0])
    with pytest.raises(ValueError, match=r'truth holds class 2; allowed are the classes 0\.\.1'):
        confusion_matrix([2], [0], 2)
    with pytest.raises(ValueError, match=r'predicted holds class -1'):
        confusion_matrix([0], [-1], 2)
    with pytest.raises(ValueError, match='num_classes is 0'):
        confusion_matrix([0], [0], 0)
