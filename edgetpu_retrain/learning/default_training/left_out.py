# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Measures how many samples of a class would be unknown if the class had not been taught.

Removing a class's logit from a trained head is not enough: for samples of this class, training has
reduced the logits of all other classes.  So heads are trained without some of the classes.  To
save time, they are trained on only the samples that conditioned the features (see problem.py).
"""

from __future__ import annotations

from dataclasses import replace
import math

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
from edgetpu_retrain.learning.default_training.problem import Problem
from edgetpu_retrain.learning.default_training.training_run import imprinted, Run, train
from edgetpu_retrain.learning.default_training.unknown_fitting import open_detector
from edgetpu_retrain.learning.unknown import unknown_scores, UnknownDetector
import numpy as np

# Maximum number of trainings; each class is left out of one training.
_GROUPS = 5


def noticed_if_left_out(
    problem: Problem, run: Run, detector: UnknownDetector, temperature: float
) -> FloatArray:
    """
    Return the share of each class's samples that are unknown to a head trained without the class.

    The threshold of each head is the median score of its known samples times a ratio from the
    final training: the detector's threshold, divided by the median score of all samples.

    Args:
        problem: the samples and options.
        run: the final training.
        detector: the unknown detector of the final training.
        temperature: the temperature of the final training.

    Returns:
        float32 ``[C]``; NaN for a class that was not measured.  No class is measured if there are
        fewer than three, or if the detector's threshold is infinite.
    """
    classes = problem.num_classes
    noticed = np.full(classes, np.nan, np.float32)
    if classes < 3 or not math.isfinite(detector.threshold):
        return noticed
    silent = replace(problem.progress, callback=None, on_progress=None, report_every=0)
    problem = replace(problem, warm=False, progress=silent)
    rows = np.unique(problem.sample)
    labels = problem.labels[rows]
    typical = np.median(_scores(problem, run, detector, rows, np.arange(0)))
    # The threshold as a share of the median score, which is negative if the classes fit.  If the
    # median is not negative, the share is 0: scores above 0 then count as unknown.
    least = min(detector.threshold * temperature / float(typical), 1.0) if typical < 0.0 else 0.0
    group_of = np.empty(classes, np.int64)
    group_of[problem.rng.permutation(classes)] = np.arange(classes) % min(_GROUPS, classes)
    for group in range(int(group_of.max()) + 1):
        missing = np.flatnonzero(group_of == group)
        known = rows[group_of[labels] != group]
        start = imprinted(problem, known)
        partial = train(problem, known, start, problem.iterations(len(known)))
        if partial.stopped or partial.diverged:
            break
        own = open_detector(problem, known)
        limit = least * np.median(_scores(problem, partial, own, known, missing))
        for number in missing:
            left_out = rows[labels == number]
            noticed[number] = np.mean(_scores(problem, partial, own, left_out, missing) > limit)
    return noticed


def _scores(
    problem: Problem, run: Run, detector: UnknownDetector, rows: IntArray, missing: IntArray
) -> FloatArray:
    """Return a run's unknown scores for some rows, ignoring the logits of missing classes."""
    logits = problem.features[rows] @ run.weights + run.bias
    logits[:, missing] = logits.min()
    return unknown_scores(logits, detector.lengths(problem.rows.floats(rows)))
