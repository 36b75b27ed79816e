# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Exam: compares heads on held-out samples of this robot."""

from __future__ import annotations

from dataclasses import dataclass

from edgetpu_retrain.fleet.training.pool import BoolArray, Pool, UNCLAIMED
from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.learning.embedding_rows import EmbeddingRows
from edgetpu_retrain.learning.held_out import hold_out
from edgetpu_retrain.report.analysis.held_out import fit_rows, probabilities_of
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np

# Share of each class to hold out: large enough to compare heads, and small enough to train them on
# the rest.
_SHARE = 0.25


@dataclass(frozen=True, eq=False)
class Exam:
    """
    Held-out samples of this robot, called views, on which heads are compared.

    :meth:`answers` trains no head on them.  A released head may have been trained on them.

    Args:
        pool: all samples.
        rows: int64 ``[E]``, the rows of the views in the pool; there may be none.
        truth: int64 ``[E]``, the class of each view, as this robot claims it.
        held_out: bool ``[N]``, the samples not to train on: the views, and other held-out samples,
            which are no views because they are near copies of training samples.
    """

    pool: Pool
    rows: IntArray
    truth: IntArray
    held_out: BoolArray

    @classmethod
    def of(cls, pool: Pool, seed: int) -> Exam:
        """
        Return an exam with about a quarter of this robot's samples of each class.

        Whole recordings are held out; of a class with one recording, a block or single samples,
        see :func:`hold_out`.

        Args:
            pool: all samples.
            seed: random seed.
        """
        own = np.flatnonzero(pool.taken_here & (pool.own_labels != UNCLAIMED))
        held_out = np.zeros(len(pool), bool)
        if not len(own):
            return cls(pool, own, own, held_out)
        # These are the labels that this robot claims: no teacher must be able to change the exam.
        truth = pool.own_labels[own]
        quantization = pool.quantization
        rows = (
            EmbeddingRows(pool.raw[own])
            if quantization is None
            else EmbeddingRows(pool.raw[own], quantization.scale, quantization.zero_point)
        )
        folds = hold_out(
            rows, np.unique(truth, return_inverse=True)[1], pool.recordings[own],
            np.random.default_rng(seed), folds=1, share=_SHARE,
        )  # fmt: skip
        held_out[own[folds.fold_of == 0]] = True
        examined = folds.evaluated_in(0)
        return cls(pool, own[examined], truth[examined], held_out)

    def answers(
        self, labels: IntArray, rows: IntArray, options: TrainingOptions
    ) -> IntArray | None:
        """
        Train a head, and return its class for each view of the exam, int64 ``[E]``.

        Args:
            labels: int64 ``[N]``, the labels to train on.
            rows: int64 ``[M]``, the samples to train on; held-out ones among them are ignored.
            options: the training options.

        Returns:
            The classes; None if the samples to train on have fewer than two classes.

        Raises:
            RequestError: if the options are not valid.
        """
        learned = rows[~self.held_out[rows]]
        classes = np.unique(labels[learned])
        if len(classes) < 2:
            return None
        lesson = self.pool.training_set(learned, labels)
        head = fit_rows(lesson, np.arange(len(learned)), options)
        views = self.pool.training_set(self.rows, labels)
        probabilities = probabilities_of(head, views, np.arange(len(self.rows)))
        answers: IntArray = classes[np.argmax(probabilities, axis=1)]
        return answers
