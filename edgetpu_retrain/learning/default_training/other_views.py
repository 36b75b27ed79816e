# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Predictions for a held-out part of each recording, by a head that is trained on the rest.

With few recordings, a head that is trained without one of them has seen far fewer views than the
final head.  A threshold from its unknown scores alone would be so high that hardly any embedding
exceeds it.  So another head is trained without a part of each recording.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
from edgetpu_retrain.learning.default_training.problem import Problem
from edgetpu_retrain.learning.default_training.training_run import (
    converted,
    imprinted,
    predictions,
    Run,
    train,
)
from edgetpu_retrain.learning.default_training.unknown_fitting import open_detector
from edgetpu_retrain.learning.held_out import BoolArray, hold_out
import numpy as np


@dataclass(frozen=True, eq=False)
class ViewsToPredict:
    """
    The division of each recording into a part to train on and a part to hold out.

    Args:
        trained: int64 ``[K]``, the samples to train on.
        rows: int64 ``[M]``, the held-out samples to predict; there may be none.
        copies: bool ``[M]``, which of ``rows`` are near copies of samples to train on.
    """

    trained: IntArray
    rows: IntArray
    copies: BoolArray

    @classmethod
    def of(cls, problem: Problem, recordings: IntArray, share: float) -> ViewsToPredict:
        """Choose about the given share of each recording to hold out."""
        pairs = np.stack([recordings, problem.labels])
        own = np.unique(pairs, axis=1, return_inverse=True)[1].reshape(-1).astype(np.int64)
        folds = hold_out(problem.rows, own, None, problem.rng, folds=1, share=share)
        rows = folds.evaluated_in(0)
        copies = np.array(folds.evaluated_recordings)[own[rows]] == 0
        return cls(folds.trained_in(0), rows, copies)

    def predicted(self, problem: Problem, num_iter: int, share: float) -> tuple[Run, Views]:
        """
        Train on ``trained``, and predict ``rows``.

        Args:
            problem: the samples and options.
            num_iter: number of iterations in which the learning rate decays to 0.
            share: share of these iterations to run, 0 to 1.

        Returns:
            The run, with weights for the features of ``problem``, and its predictions.
        """
        # With many samples, the held-out ones hardly influence the conditioning of the features.
        known = problem.conditioned_by(self.trained) if problem.few_samples else problem
        until = max(1, round(num_iter * share))
        run = train(known, self.trained, imprinted(known, self.trained), num_iter, until=until)
        detector = open_detector(known, self.trained)
        logits, lengths = predictions(known, detector, self.rows, run)
        return converted(run, known, problem), Views(logits, lengths, self.copies)


@dataclass(frozen=True, eq=False)
class Views:
    """
    The predictions for the held-out part of each recording, M samples in all.

    Args:
        logits: float32 ``[M, C]``.
        lengths: float32 ``[M]``; see UnknownDetector.lengths.
        copies: bool ``[M]``, which samples are near copies of training samples.
    """

    logits: FloatArray
    lengths: FloatArray
    copies: BoolArray
