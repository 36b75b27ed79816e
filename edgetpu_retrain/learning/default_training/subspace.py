# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The directions along which the rows of a matrix spread most."""

from __future__ import annotations

from edgetpu_retrain.learning.arrays import FloatArray
import numpy as np

# Randomized subspace iteration: number of oversampling vectors, and of passes over the rows.
_EXTRA_VECTORS = 4
_PASSES = 3


def leading_directions(rows: FloatArray, number: int) -> tuple[FloatArray, FloatArray]:
    """
    Return the directions in which the rows have the largest sums of squares, and these sums.

    They are computed by randomized subspace iteration (Halko, Martinsson and Tropp, 'Finding
    structure with randomness', SIAM Review 53, 2011) with a fixed seed.

    Args:
        rows: float32 ``[N, D]``.
        number: number of directions that are needed, 1 to D; a few more may be returned.

    Returns:
        Orthonormal directions, float32 ``[D, R]``, and sums, float32 ``[R]``.
    """
    dim = rows.shape[1]
    wanted = min(number + _EXTRA_VECTORS, dim)
    basis = np.random.default_rng(0).standard_normal((dim, wanted), dtype=np.float32)
    for _ in range(_PASSES):
        basis, _ = np.linalg.qr(rows.T @ (rows @ basis))
    along = rows @ basis
    values, vectors = np.linalg.eigh(along.T @ along)
    return np.ascontiguousarray(basis @ vectors[:, ::-1]), values[::-1]
