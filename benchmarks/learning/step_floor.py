# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The time of a training step relative to its two matrix products."""

from __future__ import annotations

from collections.abc import Callable
import statistics
import time

from edgetpu_retrain.learning.sgd.step import SgdStep
import numpy as np

SHAPES = ((16, 1024), (1000, 1280), (4, 256))
_BATCH = 100
_SECONDS_A_ROUND = 0.04
_ROUNDS = 25


def step_over_floor(num_classes: int, dim: int, momentum: float = 0.0) -> tuple[float, float]:
    """
    Return the time of a step divided by that of its products, and the latter in microseconds.

    Rounds of steps and of products alternate, so that other load on the machine affects both.  The
    result is the median of the ratios of all rounds.

    Args:
        num_classes: number of classes C.
        dim: dimensions D of an embedding.
        momentum: momentum of the step; Coral's recipe uses 0.
    """
    rng = np.random.default_rng(0)
    embeddings = rng.random((_BATCH, dim), dtype=np.float32)
    labels = rng.integers(0, num_classes, _BATCH)
    weights = np.zeros((dim, num_classes), np.float32, order='F')
    step = SgdStep(weights, np.zeros(num_classes, np.float32), _BATCH, momentum=momentum)
    other_weights = np.zeros((dim, num_classes), np.float32)
    logits = np.empty((_BATCH, num_classes), np.float32)
    errors = rng.random((_BATCH, num_classes), dtype=np.float32)
    change = np.empty_like(other_weights)
    transposed = embeddings.T

    def take_step() -> None:
        step.forward(embeddings, labels)
        step.update(embeddings, 1e-3)

    def products() -> None:
        np.matmul(embeddings, other_weights, out=logits)
        np.matmul(transposed, errors, out=change)

    repeats = max(2, int(_SECONDS_A_ROUND / _seconds(products, 5)))
    _seconds(take_step, repeats)
    ratios, floors = [], []
    for _ in range(_ROUNDS):
        floor = _seconds(products, repeats)
        ratios.append(_seconds(take_step, repeats) / floor)
        floors.append(floor)
    return statistics.median(ratios), 1e6 * statistics.median(floors)


def _seconds(action: Callable[[], None], repeats: int) -> float:
    started = time.perf_counter()
    for _ in range(repeats):
        action()
    return (time.perf_counter() - started) / repeats
