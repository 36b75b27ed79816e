# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibration of probabilities: temperature scaling and expected calibration error."""

from __future__ import annotations

import math

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
import numpy as np

# Number of bins of the calibration error, as in the paper by Guo et al. (see fit_temperature).
_BINS = 15
# Maximum number of steps of Newton's method.
_NEWTON_STEPS = 30
# Newton's method ends when a step changes log T by less than this.
_CLOSE_ENOUGH = 1e-4

# Expected temperature of the default recipe on another day, and standard deviation of its
# logarithm.  Measured temperatures are 0.55 to 0.85 (photographs of shops, an office seen by two
# cameras, and simulated bursts).
_ANOTHER_DAY = (0.65, 0.25)
# Assumed standard deviation of log T fitted to a single recording, around log T of the next one.
_ONE_RECORDING = 0.5

# Largest absolute value of log T.  More extreme temperatures would occur only with few samples
# that are all classified correctly.
_LARGEST_LOG = math.log(50.0)


def cross_entropies(logits: FloatArray, labels: IntArray) -> FloatArray:
    """Return the cross-entropy of each sample, float32 ``[N]``, from logits ``[N, C]``."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    losses: FloatArray = (
        np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]
    )
    return losses


def fit_temperature(
    logits: FloatArray,
    labels: IntArray,
    *,
    typical: float = 1.0,
    uncertainty: float = 2.0,
    start: float | None = None,
) -> float:
    """
    Return the temperature T for which ``softmax(logits / T)`` is best calibrated.

    T minimizes the cross-entropy on held-out samples (Guo et al., 'On Calibration of Modern
    Neural Networks', ICML 2017).  If all samples are classified correctly, as is common with few
    samples, the minimum is at T = 0, which means infinite confidence.  A normal prior on ``log T``
    prevents this.

    Args:
        logits: float32 ``[N, C]`` of held-out samples, N at least 1.
        labels: int64 ``[N]``, their classes.
        typical: the temperature at the prior's mean.
        uncertainty: the prior's standard deviation of ``log T``.
        start: initial guess of T, which saves iterations; None starts at ``typical``.

    >>> logits = np.array([[4.0, 0.0], [4.0, 0.0], [4.0, 0.0], [0.0, 4.0]], np.float32)
    >>> print(f'{fit_temperature(logits, np.array([0, 0, 1, 1])):.1f}')
    2.9
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    truth = shifted[np.arange(len(labels)), labels].astype(np.float64).mean()
    expected = -math.log(typical)
    weight = 1.0 / (uncertainty * uncertainty * len(labels))
    # Newton's method on u = -log T.  As a function of u, the loss is convex near its minimum.
    u = expected if start is None else -math.log(start)
    for _ in range(_NEWTON_STEPS):
        sharpness = math.exp(u)
        scores = np.exp(np.float32(sharpness) * shifted)
        scores /= scores.sum(axis=1, keepdims=True)
        means = np.einsum('nc,nc->n', scores, shifted)
        squares = np.einsum('nc,nc,nc->n', scores, shifted, shifted)
        slope = sharpness * (float(means.mean()) - truth) + weight * (u - expected)
        bend = sharpness**2 * float((squares - means * means).mean()) + weight
        # Omit this term of the curvature where it is negative, to keep the curvature positive.
        bend += max(sharpness * (float(means.mean()) - truth), 0.0)
        change = max(-1.0, min(1.0, -slope / bend))
        u = max(-_LARGEST_LOG, min(_LARGEST_LOG, u + change))
        if abs(change) < _CLOSE_ENOUGH:
            break
    return math.exp(-u)


def temperature_on_another_day(fitted: float, recordings: float) -> float:
    """
    Return the temperature to expect in the next recording.

    A few recordings say little about the next one, however many samples they have.  The logarithm
    of the result is therefore the posterior mean under a normal prior.

    Args:
        fitted: the temperature fitted to held-out samples.
        recordings: number of recordings that these samples come from, averaged over the classes.
            A class counts as 0 if most of its held-out samples are near copies of training
            samples, because near copies say nothing about another day.

    >>> [round(temperature_on_another_day(0.4, count), 2) for count in (0, 1, 2, 100)]
    [0.65, 0.59, 0.55, 0.41]
    """
    typical, uncertainty = _ANOTHER_DAY
    weight, prior = recordings / _ONE_RECORDING**2, 1.0 / uncertainty**2
    log = (weight * math.log(fitted) + prior * math.log(typical)) / (weight + prior)
    return math.exp(log)


def expected_calibration_error(probabilities: FloatArray, labels: IntArray) -> float:
    """
    Return the gap between confidence and accuracy, 0 to 1.

    Samples are divided into 15 bins of equal width by the probability of their most likely class.
    The result is the mean gap of the bins, weighted by their numbers of samples (Guo et al., see
    :func:`fit_temperature`).

    Args:
        probabilities: float32 ``[N, C]``, N at least 1.
        labels: int64 ``[N]``, the true classes.

    >>> probabilities = np.array([[0.9, 0.1], [0.9, 0.1]], np.float32)
    >>> print(f'{expected_calibration_error(probabilities, np.array([0, 1])):.2f}')
    0.40
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = np.argmax(probabilities, axis=1) == labels
    place = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    differences = np.bincount(place, weights=confidence - right, minlength=_BINS)
    return float(np.abs(differences).sum() / len(labels))
