# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Argument validation for ``fit``."""

from __future__ import annotations

from edgetpu_retrain.learning import arguments
from edgetpu_retrain.learning.arrays import IntArray
from edgetpu_retrain.learning.default_training.recipe import Recipe
from edgetpu_retrain.learning.head import Head
import numpy as np
import numpy.typing as npt

_DEFAULT_BATCH = 100


def checked_labels(
    labels: npt.ArrayLike, count: int, num_classes: int | None, initial: Head | None
) -> tuple[IntArray, int]:
    """Return the class of each of count samples, int64 ``[N]``, and the number of classes."""
    indices = arguments.index_vector(labels, 'labels', rows=count)
    if num_classes is None:
        classes = int(arguments.class_indices(indices, 'labels', None).max()) + 1
        classes = max(classes, initial.num_classes if isinstance(initial, Head) else 0)
    else:
        classes = arguments.whole_number(num_classes, 'num_classes', minimum=2)
        arguments.class_indices(indices, 'labels', classes)
    if classes < 2:
        raise ValueError('labels holds class 0 only; there must be samples of 2 or more classes')
    # A stray label such as 10**9 must not allocate an array of that size.
    present = np.unique(indices)
    if len(present) < classes:
        missing = next(n for n in range(classes) if n >= len(present) or present[n] != n)
        raise ValueError(
            f'labels holds no sample of class {missing}; each of the classes 0..{classes - 1} '
            'needs at least one'
        )
    return indices, classes


def check_initial(initial: Head | None, feature_dim: int, num_classes: int) -> None:
    """Raise a ValueError if training cannot start from this earlier head."""
    if initial is None:
        return
    if not isinstance(initial, Head):
        raise ValueError(f'initial is a {type(initial).__name__}; it must be a Head or None')
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


def checked_recipe(
    num_iter: int | None,
    learning_rate: float | None,
    batch_size: int | None,
    reg: float | None,
    balanced: bool,
    weight_scale: float,
    validation_fraction: float,
) -> Recipe:
    """Return the validated options as a Recipe; None stays None."""
    if num_iter is not None:
        num_iter = arguments.whole_number(num_iter, 'num_iter', minimum=1)
    if learning_rate is not None:
        learning_rate = arguments.real_number(learning_rate, 'learning_rate', above=0.0)
    size = _DEFAULT_BATCH
    if batch_size is not None:
        size = arguments.whole_number(batch_size, 'batch_size', minimum=1)
    if reg is not None:
        reg = arguments.real_number(reg, 'reg')
    weight_scale = arguments.real_number(weight_scale, 'weight_scale')
    share = arguments.real_number(validation_fraction, 'validation_fraction', above=0.0)
    if share >= 1.0:
        raise ValueError(
            f'validation_fraction is {validation_fraction!r}; it must be above 0 and below 1'
        )
    return Recipe(num_iter, learning_rate, size, reg, balanced, weight_scale, share)
