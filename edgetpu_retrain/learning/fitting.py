# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""``fit``: the default way to train a head."""

from __future__ import annotations

from collections.abc import Callable

from edgetpu_retrain.learning import arguments
from edgetpu_retrain.learning.arguments import real_number, whole_number
from edgetpu_retrain.learning.arrays import IntArray
from edgetpu_retrain.learning.default_training.progress_relay import Callback, ProgressRelay
from edgetpu_retrain.learning.default_training.recipe import Recipe
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
    recordings: npt.ArrayLike | None = None,
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
    measure_unknown: bool = False,
    on_progress: Callable[[Progress], bool | None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    report_every: int = 10,
) -> Head:
    """
    Train a head; no option needs tuning.

    The same data, options and seed give the same weights, bit for bit, on the same machine with
    the same libraries.

    Args:
        embeddings: float32 ``[N, D]``, or quantized integers ``[N, D]``.  They may be
            memory-mapped: large data are dequantized batch by batch.
        labels: integer ``[N]``, class indices 0..C-1; each class has at least one sample.
        recordings: integer ``[N]``, the number of each sample's recording (one burst or one
            visit); the samples of a recording are in the order of capture.  If a class has several
            recordings, whole recordings are held out, so that the metrics are valid for another
            day.  None = each class is one recording; contiguous blocks of rows are held out.
        scale: for quantized embeddings only: a real value is ``scale * (stored - zero_point)``.
        zero_point: for quantized embeddings only: the integer that represents 0.
        num_classes: C, 2 or more; None = one more than the highest class index in ``labels`` or
            ``initial``.
        initial: an earlier head to start from (warm start), of the same D.  Its classes keep
            their indices; new classes start from the means of their samples.  A warm start needs a
            quarter of the iterations.
        num_iter: iterations of the final training, 1 or more, without early stopping; None =
            derived from the data.
        learning_rate: initial learning rate, above 0, for conditioned features (mean square 1);
            it decays to 0 along half a cosine.  None = derived from the data.
        batch_size: samples per iteration, 1 or more; None = 100.
        reg: strength of the L2 regularization, 0 or more, for conditioned features; None =
            derived from the data.
        callback: called every report_every iterations with iteration (counted over all runs: those
            that measure the accuracy, and the final one), loss, training and validation accuracy
            (0 to 1).  Returning True stops the training.
        seed: random seed, 0 or more.
        balanced: whether to sample all classes equally often, regardless of their size.
        rejection_rate: share of known samples that may be classified as unknown, 0 to below 1.
            If the samples are alike, the threshold is raised for other days, and the actual share
            is lower (see :func:`.unknown_fitting.threshold_for`).
        weight_scale: standard deviation of random initial weights; 0 starts from class means.
        validation_fraction: share of each class to hold out for evaluation, above 0, below 1.
            Cross-validation is used instead if this share of all samples is fewer than 50 samples,
            or if a class has two to four recordings.
        measure_unknown: whether to measure what share of each class's samples would be unknown if
            the class had not been taught.  This takes up to five more short trainings.
        on_progress: called like callback, with a Progress.
        should_stop: called before every iteration; returning True stops the training.  Its
            exceptions propagate.
        report_every: iterations between reports, 1 or more.

    Returns:
        The head for dequantized embeddings.  Its weights and bias are divided by the temperature;
        it has a logit_range, an unknown detector and, as metrics, a TrainingReport.

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
    if initial is not None and not isinstance(initial, Head):
        raise ValueError(f'initial is a {type(initial).__name__}; it must be a Head or None')
    indices, classes = _checked_labels(labels, rows.count, num_classes, initial)
    groups = None
    if recordings is not None:
        groups = arguments.index_vector(recordings, 'recordings', rows=rows.count)
    if initial is not None:
        _check_initial(initial, rows.feature_dim, classes)
    if batch_size is None:
        batch_size = Recipe.batch_size
    recipe = Recipe(
        None if num_iter is None else whole_number(num_iter, 'num_iter', minimum=1),
        None if learning_rate is None else real_number(learning_rate, 'learning_rate', above=0.0),
        whole_number(batch_size, 'batch_size', minimum=1),
        None if reg is None else real_number(reg, 'reg'),
        balanced,
        real_number(weight_scale, 'weight_scale'),
        real_number(validation_fraction, 'validation_fraction', above=0.0, below=1.0),
        real_number(rejection_rate, 'rejection_rate', below=1.0),
        bool(measure_unknown),
    )
    arguments.fits_memory(recipe.batch_size, max(rows.feature_dim, classes), 'batch_size')
    arguments.layer_sizes(rows.feature_dim, classes)
    every = whole_number(report_every, 'report_every', minimum=1)
    rng = np.random.default_rng(whole_number(seed, 'seed', minimum=0))
    listening = callback is not None or on_progress is not None
    progress = ProgressRelay(callback, on_progress, should_stop, every if listening else 0)
    with one_blas_thread(), np.errstate(over='ignore', invalid='ignore', under='ignore'):
        return DefaultTraining(
            rows, indices, groups, classes, initial, recipe, progress, rng
        ).head()


def _checked_labels(
    labels: npt.ArrayLike, count: int, num_classes: int | None, initial: Head | None
) -> tuple[IntArray, int]:
    """Return the class of each of ``count`` samples, int64 ``[N]``, and the number of classes."""
    indices = arguments.index_vector(labels, 'labels', rows=count)
    if num_classes is not None:
        num_classes = whole_number(num_classes, 'num_classes', minimum=2)
    arguments.class_indices(indices, 'labels', num_classes)
    known = initial.num_classes if initial is not None else 0
    classes = num_classes or max(int(indices.max()) + 1, known)
    if classes < 2:
        raise ValueError('labels holds class 0 only; there must be samples of 2 or more classes')
    # For a wrong label such as 10**9, np.bincount would allocate 10**9 counts.
    present = np.unique(indices)
    if len(present) < classes:
        missing = next(n for n in range(classes) if n >= len(present) or present[n] != n)
        raise ValueError(
            f'labels holds no sample of class {missing}; each of the classes 0..{classes - 1} '
            'needs at least one'
        )
    return indices, classes


def _check_initial(initial: Head, feature_dim: int, num_classes: int) -> None:
    """Raise a ValueError if training cannot start from this earlier head."""
    if initial.feature_dim != feature_dim:
        raise ValueError(
            f'initial is a head for embeddings of length {initial.feature_dim}; the embeddings '
            f'have length {feature_dim}, and it must be the same'
        )
    if initial.num_classes > num_classes:
        raise ValueError(
            f'initial has {initial.num_classes} classes; it may have at most the '
            f'{num_classes} of the new head'
        )
    arguments.check_finite(initial.weights, 'the weights of initial')
    arguments.check_finite(initial.bias, 'the bias of initial')
