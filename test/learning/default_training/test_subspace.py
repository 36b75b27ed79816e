# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.learning import FloatArray
from edgetpu_retrain.learning.default_training.subspace import (
    leading_directions,
    principal_directions,
)
import numpy as np
import pytest

SPREADS = np.geomspace(10.0, 0.1, 64, dtype=np.float32)


def rows(count: int) -> FloatArray:
    return SPREADS * np.random.default_rng(0).standard_normal((count, 64), dtype=np.float32)


@pytest.mark.parametrize('count', [8, 30, 300])
def test_the_leading_directions_are_those_of_a_singular_value_decomposition(count: int) -> None:
    some = rows(count)
    directions, squares = leading_directions(some, 5)
    _, exact, vectors = np.linalg.svd(some)
    assert squares[:5] == pytest.approx(exact[:5] ** 2, rel=0.01)
    cosines = np.abs(np.einsum('rd,dr->r', vectors[:3], directions[:, :3]))
    assert cosines == pytest.approx(1.0, abs=0.01)
    size = directions.shape[1]
    assert directions.T @ directions == pytest.approx(np.eye(size), abs=1e-3)


def test_the_principal_directions_span_the_rows() -> None:
    some = rows(20)
    directions, squares = principal_directions(some)
    assert directions.shape == (64, 20)
    assert np.all(np.diff(squares) <= 0.0)
    assert (some @ directions) @ directions.T == pytest.approx(some, abs=1e-3)


def test_equal_rows_have_one_principal_direction() -> None:
    directions, squares = principal_directions(np.ones((5, 64), np.float32))
    assert np.abs(directions) == pytest.approx(np.full((64, 1), 0.125), abs=1e-6)
    assert squares == pytest.approx([5 * 64])


def test_rows_of_zeros_have_directions_of_finite_numbers() -> None:
    directions, squares = principal_directions(np.zeros((3, 64), np.float32))
    assert directions.shape == (64, 1)
    assert np.isfinite(directions).all()
    assert squares.tolist() == [0.0]
