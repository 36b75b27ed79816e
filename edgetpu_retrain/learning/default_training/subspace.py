# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The directions along which the rows of a matrix spread most."""

from __future__ import annotations

from edgetpu_retrain.learning.arrays import FloatArray
import numpy as np

# Randomized subspace iteration: number of oversampling vectors, and of passes over the rows.
_EXTRA_VECTORS = 4
_PASSES = 3

# With at most this many rows per direction, computing all directions is faster than iteration.
_FEW = 4

# Directions with a smaller sum of squares, relative to the largest, are rounding errors.
_SMALLEST = 1e-8


def leading_directions(rows: FloatArray, number: int) -> tuple[FloatArray, FloatArray]:
    """
    Return the directions in which the rows have the largest sums of squares, and these sums.

    With many rows, the directions are computed by randomized subspace iteration (Halko, Martinsson
    and Tropp, 'Finding structure with randomness', SIAM Review 53, 2011) with a fixed seed.

    Args:
        rows: float32 ``[N, D]``.
        number: number of directions that are needed, 1 to D.  More may be returned, or fewer if
            the rows span fewer dimensions.

    Returns:
        Orthonormal directions, float32 ``[D, R]``, and sums, float32 ``[R]``, the largest first.
    """
    dim = rows.shape[1]
    wanted = min(number + _EXTRA_VECTORS, dim)
    if len(rows) <= _FEW * wanted:
        return principal_directions(rows)
    basis = np.random.default_rng(0).standard_normal((dim, wanted), dtype=np.float32)
    for _ in range(_PASSES):
        basis, _ = np.linalg.qr(rows.T @ (rows @ basis))
    along = rows @ basis
    values, vectors = np.linalg.eigh(along.T @ along)
    return np.ascontiguousarray(basis @ vectors[:, ::-1]), values[::-1]


def principal_directions(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """
    Return an orthonormal basis of the space that the rows span.

    This takes less time than a QR decomposition if there are far fewer rows than columns.

    Args:
        rows: float32 ``[N, D]``.

    Returns:
        The principal directions, float32 ``[D, R]``, and the sums of squares of the rows along
        them, float32 ``[R]``, the largest first.
    """
    precise = rows.astype(np.float64)
    values, vectors = np.linalg.eigh(precise @ precise.T)
    kept = values > _SMALLEST * values[-1]
    kept[-1] = True
    values, vectors = values[kept][::-1], vectors[:, kept][:, ::-1]
    scaled = vectors / np.sqrt(np.maximum(values, np.finfo(np.float32).tiny))
    return rows.T @ scaled.astype(np.float32), values.astype(np.float32)
