# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Argument validation for the numerical code.

If an argument is not valid, each function raises a ValueError that names the argument and states
what is allowed.  Functions that return an argument convert it first, for example to float32.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
import math
import operator
import os
from pathlib import Path

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
import numpy as np
import numpy.typing as npt

# Without this limit, a single wrong label, such as 10**9, could exhaust the robot's memory.
_LARGEST_ARRAY_BYTES = 2**30

_NUMBERS = (int, float, np.integer, np.floating)

_DATA_KEYS = ('data_train', 'labels_train', 'data_val', 'labels_val')


def whole_number(value: object, name: str, *, minimum: int) -> int:
    """Return ``value`` as an int; it must be an integer of at least ``minimum``."""
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise ValueError(
            f'{name} is {value!r}; it must be a whole number, {minimum} or more'
        ) from None
    if number < minimum:
        raise ValueError(f'{name} is {number}; it must be {minimum} or more')
    return number


def real_number(
    value: object, name: str, *, above: float | None = None, below: float = math.inf
) -> float:
    """
    Return ``value`` as a float.

    The value must be finite and less than ``below``.  It must be greater than ``above``, or at
    least 0 if ``above`` is None.
    """
    allowed = '0 or more' if above is None else f'above {above:g}'
    if below < math.inf:
        allowed += f' and below {below:g}'
    number = math.nan
    if isinstance(value, _NUMBERS) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
    lowest = 0.0 if above is None else math.nextafter(above, math.inf)
    if not (math.isfinite(number) and lowest <= number < below):
        raise ValueError(f'{name} is {value!r}; it must be a finite number, {allowed}')
    return number


def fits_memory(rows: int, columns: int, meaning: str) -> None:
    """Raise a ValueError if a float32 array of rows x columns would take more than 1 GiB."""
    size = rows * columns * 4
    if size > _LARGEST_ARRAY_BYTES:
        raise ValueError(
            f'{meaning} would need {size / 2**30:.1f} GiB for one array; '
            f'at most {_LARGEST_ARRAY_BYTES // 2**30} GiB is allowed'
        )


def as_array(value: npt.ArrayLike, name: str) -> npt.NDArray[np.generic]:
    """Return ``value`` as an array, keeping its dtype."""
    try:
        return np.asarray(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f'{name} is not an array: {error}') from None


def layer_sizes(feature_dim: int, num_classes: int) -> None:
    """Raise a ValueError unless there are 2 or more classes and the weights take at most 1 GiB."""
    if num_classes < 2:
        raise ValueError(
            f'num_classes, taken from the labels, is {num_classes}; it must be 2 or more: give '
            f'num_classes to SoftmaxRegression, or samples of another class'
        )
    sizes = f'feature_dim {feature_dim} with num_classes {num_classes}'
    fits_memory(feature_dim, num_classes, sizes)


def check_matrix(
    array: npt.NDArray[np.generic], name: str, feature_dim: int | None = None
) -> None:
    """
    Raise a ValueError unless an array is ``[N, D]`` and not empty.

    Args:
        array: the array to check.
        name: the argument's name for messages.
        feature_dim: the required D, or None to accept any.
    """
    expected = '[N, D]' if feature_dim is None else f'[N, {feature_dim}]'
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f'{name} has shape {array.shape}; it must be {expected} with at least one embedding'
        )
    if feature_dim not in {None, array.shape[1]}:
        raise ValueError(
            f'{name} has shape {array.shape}; it must be {expected}: '
            f'the length of an embedding (feature_dim) is {feature_dim}'
        )


def float_matrix(value: npt.ArrayLike, name: str, feature_dim: int | None = None) -> FloatArray:
    """
    Return a matrix as float32 ``[N, D]``.

    Args:
        value: finite numbers, ``[N, D]``, N and D at least 1; a float32 array is not copied.
        name: the argument's name for messages.
        feature_dim: the required D, or None to accept any.
    """
    matrix = _real_array(value, name)
    check_matrix(matrix, name, feature_dim)
    check_finite(matrix, name)
    return matrix


def one_or_more_embeddings(value: npt.ArrayLike, name: str, feature_dim: int) -> FloatArray:
    """Return one embedding ``[D]`` or several ``[N, D]`` as float32 ``[N, D]``."""
    array = as_array(value, name)
    return float_matrix(array[np.newaxis] if array.ndim == 1 else array, name, feature_dim)


def float_vector(value: npt.ArrayLike, name: str, length: int | None) -> FloatArray:
    """Return finite numbers as float32 ``[C]``; C must be equal to ``length`` if given."""
    array = _real_array(value, name)
    if array.ndim != 1 or len(array) == 0 or length not in {None, len(array)}:
        raise ValueError(f'{name} has shape {array.shape}; it must be [{length or "C"}]')
    check_finite(array, name)
    return array


def check_finite(array: FloatArray, name: str) -> None:
    """Raise a ValueError if an array, which must not be empty, contains NaN or infinity."""
    # If a value is NaN or infinite, min() or max() is, too.  Unlike isfinite(array), they need no
    # temporary array.
    if math.isfinite(array.min()) and math.isfinite(array.max()):
        return
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    raise ValueError(
        f'{name} holds {array[place]} at {list(place)}; every value must be finite (float32)'
    )


def class_labels(value: npt.ArrayLike, name: str, rows: int, num_classes: int) -> IntArray:
    """
    Return class indices, int64 ``[N]``, from class indices or one-hot rows.

    Args:
        value: integer class indices ``[N]``, or one-hot rows ``[N, C]``.
        name: the argument's name for messages.
        rows: N, the number of embeddings.
        num_classes: C, the number of classes.
    """
    array = as_array(value, name)
    if array.ndim == 2:
        return _from_one_hot(array, name, rows, num_classes)
    return class_indices(index_vector(array, name, rows), name, num_classes)


def index_vector(value: npt.ArrayLike, name: str, rows: int | None = None) -> IntArray:
    """Return integers as int64 ``[N]``; N must be at least 1, and equal to ``rows`` if given."""
    array = as_array(value, name)
    if array.ndim != 1 or len(array) == 0:
        raise ValueError(f'{name} has shape {array.shape}; it must be [N] with N at least 1')
    if array.dtype.kind not in 'iu':
        raise ValueError(
            f'{name} has dtype {array.dtype} (it begins with {array[0]!r}); they must be integers'
        )
    if rows is not None and len(array) != rows:
        raise ValueError(f'{name} has {len(array)} entries; there must be {rows}, one a row')
    return array.astype(np.int64, copy=False)


def class_indices(indices: IntArray, name: str, num_classes: int | None) -> IntArray:
    """
    Return class indices unchanged if all are in 0..num_classes-1, else raise a ValueError.

    If num_classes is None, there is no upper limit.
    """
    lowest, highest = int(indices.min()), int(indices.max())
    if lowest < 0 or (num_classes is not None and highest >= num_classes):
        wrong = lowest if lowest < 0 else highest
        last = '' if num_classes is None else num_classes - 1
        raise ValueError(f'{name} holds class {wrong}; allowed are the classes 0..{last}')
    return indices


def class_names(labels: Sequence[str] | None, num_classes: int) -> tuple[str, ...]:
    """Return the class names, a non-empty string for each class; ``()`` for None."""
    if labels is None:
        return ()
    wanted = f'one non-empty string for each of the {num_classes} classes, or None'
    if isinstance(labels, str | bytes) or not isinstance(labels, Iterable):
        raise ValueError(f'labels is {labels!r}; it must be {wanted}')
    names: list[object] = list(labels)
    if len(names) != num_classes:
        raise ValueError(f'labels has {len(names)} entries; it must be {wanted}')
    for name in names:
        if not isinstance(name, str) or not name:
            raise ValueError(f'labels holds {name!r}; it must be {wanted}')
    return tuple(str(name) for name in names)


def file_path(value: object, name: str) -> Path:
    """Return a path, which is a non-empty string or a path object, as a Path."""
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str) or not path:
        raise ValueError(f'{name} is {value!r}; it must be the path of a .tflite file')
    return Path(path)


def training_data(
    data: object, feature_dim: int | None, num_classes: int | None
) -> tuple[FloatArray, IntArray, FloatArray, IntArray, int]:
    """
    Validate and convert the data for ``SoftmaxRegression.train_with_sgd``.

    Args:
        data: a dictionary with data_train, labels_train, data_val and labels_val; other keys are
            ignored.  data_val and labels_val may be empty, but only both together.
        feature_dim: the required length D of an embedding, or None to accept any.
        num_classes: C; None derives it from the labels, see :func:`found_classes`.

    Returns:
        Training embeddings, float32 ``[N, D]``, and their classes, int64 ``[N]``; validation
        embeddings and their classes, likewise; and C.
    """
    if not isinstance(data, Mapping):
        raise ValueError(
            f'data is a {type(data).__name__}; it must be a dict with {", ".join(_DATA_KEYS)}'
        )
    missing = [key for key in _DATA_KEYS if key not in data]
    if missing:
        raise ValueError(f'data lacks {", ".join(missing)}; it must have {", ".join(_DATA_KEYS)}')
    train = float_matrix(data['data_train'], "data['data_train']", feature_dim)
    without_validation = not any(
        as_array(data[key], f'data[{key!r}]').size for key in ('data_val', 'labels_val')
    )
    if without_validation:
        validation = np.empty((0, train.shape[1]), np.float32)
    else:
        validation = float_matrix(data['data_val'], "data['data_val']", train.shape[1])
    if num_classes is None:
        # Classes that occur only in the validation data count, too.
        num_classes = max(
            found_classes(data[key], f'data[{key!r}]')
            for key in ('labels_train', *([] if without_validation else ['labels_val']))
        )
        layer_sizes(train.shape[1], num_classes)
    truth = class_labels(data['labels_train'], "data['labels_train']", len(train), num_classes)
    truth_val = np.empty(0, np.int64)
    if not without_validation:
        truth_val = class_labels(
            data['labels_val'], "data['labels_val']", len(validation), num_classes
        )
    return train, truth, validation, truth_val, num_classes


def found_classes(value: npt.ArrayLike, name: str) -> int:
    """Return the number of classes: the highest index plus 1, or the width of one-hot rows."""
    array = as_array(value, name)
    if array.ndim == 2:
        return int(array.shape[1])
    return int(class_indices(index_vector(array, name), name, None).max()) + 1


def _real_array(value: npt.ArrayLike, name: str) -> FloatArray:
    if isinstance(value, np.ndarray) and value.dtype == np.float32:
        return value
    array = as_array(value, name)
    if array.dtype.kind not in 'fiu':
        raise ValueError(f'{name} has dtype {array.dtype}; it must hold real numbers')
    # Values outside of float32's range become infinite; check_finite reports them.
    with np.errstate(over='ignore'):
        return array.astype(np.float32)


def _from_one_hot(
    array: npt.NDArray[np.generic], name: str, rows: int, num_classes: int
) -> IntArray:
    if array.shape != (rows, num_classes) or num_classes < 2 or array.dtype.kind not in 'biuf':
        raise ValueError(
            f'{name} has shape {array.shape} and dtype {array.dtype}; it must be integer '
            f'class indices [{rows}] or one-hot rows [{rows}, {num_classes}]'
        )
    ones = array == 1
    if not (np.all(ones | (array == 0)) and np.all(ones.sum(axis=1) == 1)):
        raise ValueError(f'{name} has rows that are not one-hot: each must hold one 1 and else 0')
    indices: IntArray = np.argmax(ones, axis=1).astype(np.int64, copy=False)
    return indices
