# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""``fit``: the default way to train a head."""

from __future__ import annotations

from collections.abc import Callable

from edgetpu_retrain.learning import arguments
from edgetpu_retrain.learning.default_training.fit_arguments import (
    check_initial,
    checked_labels,
    checked_recipe,
)
from edgetpu_retrain.learning.default_training.progress_relay import Callback, ProgressRelay
from edgetpu_retrain.learning.default_training.stages import DefaultTraining
from edgetpu_retrain.learning.embedding_rows import EmbeddingRows
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.learning.sgd.blas_threads import one_blas_thread
from edgetpu_retrain.learning.sgd.loop import Progress
import numpy as np
import numpy.typing as npt


def fit(
    embeddings: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    scale: float | None = None,
    zero_point: int | None = None,
    num_classes: int | None = None,
    initial: Head | None = None,
    num_iter: int | None = None,
    learning_rate: float | None = None,
    batch_size: int | None = None,
    reg: float | None = None,
    callback: Callback | None = None,
    seed: int = 0,
    balanced: bool = True,
    rejection_rate: float = 0.05,
    weight_scale: float = 0.0,
    validation_fraction: float = 0.2,
    on_progress: Callable[[Progress], bool | None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    report_every: int = 10,
) -> Head:
    """
    Train a head, with nothing to tune.

    Options that are None are derived from the data.  The same data and seed give the same
    weights, bit for bit, on the same machine and libraries.

    Args:
        embeddings: float32 ``[N, D]``, or quantized integers ``[N, D]``.  They may be
            memory-mapped: they are dequantized a batch at a time.
        labels: integer ``[N]``, class indices 0..C-1; each class has at least one sample.
        scale: for quantized embeddings only: a real value is ``scale * (stored - zero_point)``.
        zero_point: for quantized embeddings only.
        num_classes: C, 2 or more.
        initial: an earlier head to start from (warm start), of the same D.  Its classes come
            first; new classes are imprinted.  A warm start needs a quarter of the iterations.
        num_iter: iterations of the final training; setting it disables early stopping.
        learning_rate: initial learning rate, above 0, on conditioned features (mean square 1);
            it decays to 0 along half a cosine.
        batch_size: samples per iteration, 1 or more.
        reg: strength of the L2 regularization, 0 or more, on conditioned features.
        callback: called every report_every iterations with iteration (counted over all runs),
            loss, training and validation accuracy (0 to 1).  Returning True stops the training.
        seed: random seed, 0 or more.
        balanced: sample all classes equally often, regardless of their number of samples.
        rejection_rate: share of known samples that may be classified as unknown, 0 to below 1;
            it is lower if the samples are near copies (:func:`.unknown.threshold_for`).
        weight_scale: standard deviation of random initial weights; 0 starts from class means.
        validation_fraction: share of each class to hold out for evaluation, above 0, below 1; if
            that is fewer than 50 samples, cross-validation evaluates all of them.
        on_progress: called like callback, with a Progress.
        should_stop: called before every iteration; returning True stops the training.  Its
            exceptions propagate.
        report_every: iterations between reports, 1 or more.

    Returns:
        The head for raw (dequantized) embeddings, temperature folded in, with logit_range,
        unknown detector and, as metrics, a TrainingReport.

    Raises:
        ValueError: if an argument is out of range; the message names the argument, its value
            and the allowed values.

    >>> rng = np.random.default_rng(0)
    >>> labels = np.repeat([0, 1, 2], 100)
    >>> embeddings = 4.0 * np.eye(16)[labels] + rng.standard_normal((300, 16))
    >>> head = fit(embeddings, labels)
    >>> print(head.metrics.method, head.predict(4.0 * np.eye(16, dtype=np.float32)[:3]))
    held-out split [0 1 2]
    """
    rows = EmbeddingRows(embeddings, scale, zero_point)
    indices, classes = checked_labels(labels, rows.count, num_classes, initial)
    check_initial(initial, rows.feature_dim, classes)
    recipe = checked_recipe(
        num_iter, learning_rate, batch_size, reg, balanced, weight_scale, validation_fraction
    )
    arguments.fits_memory(recipe.batch_size, max(rows.feature_dim, classes), 'batch_size')
    arguments.layer_sizes(rows.feature_dim, classes)
    rejection = arguments.real_number(rejection_rate, 'rejection_rate')
    if rejection >= 1.0:
        raise ValueError(f'rejection_rate is {rejection_rate!r}; it must be 0 or more, below 1')
    every = arguments.whole_number(report_every, 'report_every', minimum=1)
    rng = np.random.default_rng(arguments.whole_number(seed, 'seed', minimum=0))
    progress = ProgressRelay(callback, on_progress, should_stop, every)
    with one_blas_thread(), np.errstate(over='ignore', invalid='ignore', under='ignore'):
        return DefaultTraining(rows, indices, classes, initial, recipe, progress, rng).head(
            rejection
        )
