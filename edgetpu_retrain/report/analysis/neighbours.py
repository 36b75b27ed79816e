# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Nearest neighbours among the samples, by cosine distance."""

from __future__ import annotations

from edgetpu_retrain.learning.arrays import FloatArray, IntArray, row_blocks
from edgetpu_retrain.store.samples.newest_vectors import unit_vectors
from edgetpu_retrain.store.samples.sample import TrainingSet
import numpy as np


def nearest_samples(
    samples: TrainingSet, queries: IntArray, count: int
) -> tuple[IntArray, FloatArray]:
    """
    Find the nearest neighbours of some samples among all others.

    Args:
        samples: all samples.
        queries: int64 ``[Q]``, the rows to find neighbours of.
        count: number of neighbours, K; fewer if there are fewer other samples.

    Returns:
        The neighbours' rows, int64 ``[Q, K]``, nearest first, and their distances, float32
        ``[Q, K]``, 0 (same direction) to 2 (opposite direction).
    """
    kept = min(count, len(samples.labels) - 1)
    wanted = unit_vectors(samples.embeddings[queries], samples.quantization)
    rows = np.empty((len(queries), 0), np.int64)
    similarities = np.empty((len(queries), 0), np.float32)
    for part in row_blocks(len(samples.labels)):
        block = np.arange(part.start, part.stop)
        found = wanted @ unit_vectors(samples.embeddings[block], samples.quantization).T
        found[queries[:, np.newaxis] == block] = -np.inf
        rows = np.concatenate([rows, np.broadcast_to(block, found.shape)], axis=1)
        similarities = np.concatenate([similarities, found], axis=1)
        order = np.argsort(-similarities, axis=1, kind='stable')[:, :kept]
        rows = np.take_along_axis(rows, order, axis=1)
        similarities = np.take_along_axis(similarities, order, axis=1)
    return rows, np.clip(1.0 - similarities, 0.0, 2.0)
