# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The trainable parameters of a softmax layer: weights, bias and logit range."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
import math
from typing import ClassVar

from edgetpu_retrain.learning import arguments
from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.learning.head import Head
import numpy as np
import numpy.typing as npt

# The logit_range before the first logit is computed.
_NO_RANGE = (0.0, 0.0)


class SoftmaxParameters:
    """
    The parameters of a softmax layer during training.

    Args:
        feature_dim: D, the length of an embedding; None derives it from the first training data.
        num_classes: C, 2 or more; None derives it from the first training data.
        weight_scale: standard deviation of the normally distributed initial weights.
        rng: random generator for the initial weights.

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(
        self,
        feature_dim: int | None,
        num_classes: int | None,
        weight_scale: float,
        rng: np.random.Generator,
    ) -> None:
        self._weight_scale = arguments.real_number(weight_scale, 'weight_scale')
        if feature_dim is not None:
            feature_dim = arguments.whole_number(feature_dim, 'feature_dim', minimum=1)
        if num_classes is not None:
            num_classes = arguments.whole_number(num_classes, 'num_classes', minimum=2)
        self._rng = rng
        self._feature_dim = feature_dim
        self._num_classes = num_classes
        self._weights: FloatArray | None = None
        self._bias: FloatArray | None = None
        self._logit_range = _NO_RANGE
        if feature_dim is not None and num_classes is not None:
            self._settle_sizes(feature_dim, num_classes)

    @property
    def feature_dim(self) -> int | None:
        """Length D of an embedding; None until it is known."""
        return self._feature_dim

    @property
    def num_classes(self) -> int | None:
        """Number C of classes; None until it is known."""
        return self._num_classes

    @property
    def weights(self) -> FloatArray:
        """
        The weights, float32 ``[D, C]``; modifying the array modifies the model.

        Assignment copies the array, and sets feature_dim and num_classes if they are not set yet.
        Reading raises ValueError while there are no weights.
        """
        if self._weights is None:
            raise ValueError(
                'there are no weights yet: feature_dim and num_classes are not known; give them '
                'to SoftmaxRegression, or train first'
            )
        return self._weights

    @weights.setter
    def weights(self, value: npt.ArrayLike) -> None:
        matrix = arguments.float_matrix(value, 'weights')
        dim, classes = matrix.shape
        wanted = (self._feature_dim or dim, self._num_classes or max(classes, 2))
        if (dim, classes) != wanted:
            raise ValueError(
                f'weights has shape {matrix.shape}; it must be {list(wanted)} '
                f'(feature_dim, num_classes)'
            )
        arguments.layer_sizes(dim, classes)
        self._feature_dim, self._num_classes = dim, classes
        self._weights = np.array(matrix, np.float32, order='F')
        if self._bias is None:
            self._bias = np.zeros(classes, np.float32)

    @property
    def bias(self) -> FloatArray:
        """
        The bias, float32 ``[C]``; modifying the array modifies the model.

        Assignment copies the array, and sets num_classes if it is not set yet.  Reading raises
        ValueError until the weights or the bias are set.
        """
        if self._bias is None:
            raise ValueError(
                'there is no bias yet: num_classes is not known; give it to SoftmaxRegression, '
                'or train first'
            )
        return self._bias

    @bias.setter
    def bias(self, value: npt.ArrayLike) -> None:
        row = arguments.float_vector(value, 'bias', self._num_classes)
        self._num_classes = arguments.whole_number(len(row), 'the length of bias', minimum=2)
        self._bias = np.array(row, np.float32)

    @property
    def logit_range(self) -> tuple[float, float]:
        """
        Smallest and largest logit (min, max) that the quantized layer represents.

        ``SoftmaxRegression.train_with_sgd`` sets the range to that of the training embeddings'
        logits with the final weights.  ``train_step`` widens the range to include the batch's
        logits before the step.

        ``(0.0, 0.0)`` means that no logit has been computed yet.  Assigning ``(0.0, 0.0)``, or the
        empty range ``(inf, -inf)`` of Coral's untrained models, resets the range.
        """
        return self._logit_range

    @logit_range.setter
    def logit_range(self, value: npt.ArrayLike) -> None:
        limits = arguments.as_array(value, 'logit_range')
        if limits.shape != (2,) or limits.dtype.kind not in 'fiu':
            raise ValueError(f'logit_range is {value!r}; it must be two numbers (min, max)')
        lowest, highest = (float(limit) for limit in limits.tolist())
        if (lowest, highest) == (math.inf, -math.inf):
            lowest, highest = _NO_RANGE
        if not (math.isfinite(lowest) and math.isfinite(highest) and lowest <= highest):
            raise ValueError(
                f'logit_range is {value!r}; it must be finite (min, max) with min <= max'
            )
        self._logit_range = (lowest, highest)

    def head(self, labels: Sequence[str] | None = None) -> Head:
        """
        Return a copy of the current parameters as a head.

        Args:
            labels: a name for each class, or None.

        Raises:
            ValueError: if there are no weights yet, or the number of labels does not match.
        """
        weights, bias = self.weights, self.bias
        names = arguments.class_names(labels, weights.shape[1])
        return Head(weights.copy(), bias.copy(), names, self._logit_range)

    def _settle_sizes(self, feature_dim: int, num_classes: int) -> None:
        """Set the sizes and draw the initial weights, unless there are weights already."""
        if self._weights is not None:
            return
        arguments.layer_sizes(feature_dim, num_classes)
        drawn = self._rng.standard_normal((feature_dim, num_classes), dtype=np.float32)
        with np.errstate(over='ignore'):
            weights = drawn * np.float32(self._weight_scale)
        arguments.check_finite(weights, f'initial weights of weight_scale {self._weight_scale:g}')
        self._feature_dim, self._num_classes = feature_dim, num_classes
        # SgdStep is fastest with weights in Fortran order.
        self._weights = np.asfortranarray(weights)
        if self._bias is None:
            self._bias = np.zeros(num_classes, np.float32)

    def _widen_logit_range(self, lowest: float, highest: float) -> None:
        if self._logit_range != _NO_RANGE:
            lowest = min(lowest, self._logit_range[0])
            highest = max(highest, self._logit_range[1])
        self._logit_range = (lowest, highest)


class CoralParameters(MutableMapping[str, FloatArray]):
    """
    A mapping from the names of Coral's class, 'mat_w' and 'vec_b', to weights and bias.

    Args:
        parameters: the parameters that the mapping reads and assigns.
    """

    _NAMES: ClassVar = {'mat_w': 'weights', 'vec_b': 'bias'}

    def __init__(self, parameters: SoftmaxParameters) -> None:
        self._parameters = parameters

    def __getitem__(self, name: str) -> FloatArray:
        array: FloatArray = getattr(self._parameters, self._NAMES[name])
        return array

    def __setitem__(self, name: str, value: npt.ArrayLike) -> None:
        setattr(self._parameters, self._NAMES[name], value)

    def __delitem__(self, name: str) -> None:
        raise TypeError(f'{name} cannot be deleted: assign another array')

    def __iter__(self) -> Iterator[str]:
        return iter(self._NAMES)

    def __len__(self) -> int:
        return len(self._NAMES)
