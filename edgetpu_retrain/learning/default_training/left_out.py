# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
How much of each class would be unknown if it had not been taught.

Removing a class's logit from a trained head is not enough: training has pushed the logits of all
other classes down on its samples.  So heads are trained without a part of the classes, on a sample
of the others.
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

# Each training leaves this share of the classes out.
_GROUPS = 5


def noticed_if_left_out(
    problem: Problem, run: Run, detector: UnknownDetector, temperature: float
) -> FloatArray:
    """
    Return the share of each class's samples that heads trained without it find unknown.

    The threshold of each head is that of the detector, relative to the scores of samples that the
    head was trained on.

    Args:
        problem: the samples and options.
        run: the final training.
        detector: its unknown detector, with a finite threshold.
        temperature: that of the run.

    Returns:
        float32 ``[C]``, NaN with fewer than three classes.
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
    # A threshold above 0 lets everything pass that has any evidence.
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
    """Return the unknown scores of rows, of a run that did not learn the missing classes."""
    logits = problem.features[rows] @ run.weights + run.bias
    logits[:, missing] = logits.min()
    return unknown_scores(logits, detector.lengths(problem.rows.floats(rows)))
