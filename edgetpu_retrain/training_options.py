# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""TrainingOptions: the options of a training, and their limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.learning.arguments import real_number, whole_number

MAX_ITERATIONS = 1_000_000
"""Maximum number of iterations, far more than a training needs to converge."""

MAX_BATCH_SIZE = 100_000
"""Maximum batch size; 100,000 embeddings of the default extractor take 512 MB as float32."""

MAX_VISITS = 1_000_000_000
"""Maximum of iterations times batch size; this many samples take hours on a robot's CPU."""

MAX_LEARNING_RATE = 1000.0
MAX_REG = 1e9
MAX_WEIGHT_SCALE = 1000.0
"""These three limits are far above useful values."""

_LARGEST = {'learning_rate': MAX_LEARNING_RATE, 'reg': MAX_REG, 'weight_scale': MAX_WEIGHT_SCALE}
_LEFT_TO_THE_DATA = ('num_iter', 'learning_rate', 'reg')


@dataclass(frozen=True)
class TrainingOptions:
    """
    The options of a training; None means derived from the data.

    Args:
        num_iter: SGD iterations, 1 to 1000000.
        learning_rate: initial learning rate, above 0, at most 1000.
        batch_size: samples per iteration, 1 to 100000.
        reg: strength of the L2 regularization of the weights, 0 to 1e9.
        weight_scale: standard deviation of random initial weights, at most 1000; 0 starts from
            class means.
        validation_fraction: share of each class to hold out for evaluation, above 0, below 1.
        print_every: iterations between progress reports, 1 or more.
        seed: random seed, 0 or more.  The same samples, options and seed give the same model on
            the same kind of processor; on another kind, it may differ by rounding.
        rejection_rate: share of known samples that may be classified as unknown, 0 to below 1;
            the actual share is lower if the samples are near copies of each other.
    """

    num_iter: int | None = None
    learning_rate: float | None = None
    batch_size: int = 100
    reg: float | None = None
    weight_scale: float = 0.0
    validation_fraction: float = 0.2
    print_every: int = 10
    seed: int = 0
    rejection_rate: float = 0.05

    def validated(self) -> TrainingOptions:
        """
        Return these options unchanged if all are valid.

        Raises:
            RequestError: if an option is out of range, or ``num_iter * batch_size`` exceeds
                :data:`MAX_VISITS`; the message states the value and the limit.
        """
        try:
            for name in ('num_iter', 'batch_size', 'print_every'):
                self._check(name, whole_number, minimum=1)
            whole_number(self.seed, 'seed', minimum=0)
            self._check('learning_rate', real_number, above=0.0)
            self._check('validation_fraction', real_number, above=0.0, below=1.0)
            self._check('rejection_rate', real_number, below=1.0)
            for name in ('reg', 'weight_scale'):
                self._check(name, real_number)
        except ValueError as error:
            raise RequestError(f'{error}.') from error
        for name, most in (('num_iter', MAX_ITERATIONS), ('batch_size', MAX_BATCH_SIZE)):
            if (value := getattr(self, name) or 0) > most:
                raise RequestError(f'{name} is {value}; it must be 1 to {most}.')
        if (self.num_iter or 1) * self.batch_size > MAX_VISITS:
            raise RequestError(
                f'num_iter is {self.num_iter} and batch_size {self.batch_size}; together they may '
                f'visit {MAX_VISITS} samples.'
            )
        for name, limit in _LARGEST.items():
            if (value := getattr(self, name) or 0.0) > limit:
                raise RequestError(f'{name} is {value}; it must be at most {limit:g}.')
        return self

    def for_fit(self) -> dict[str, Any]:
        """Return these options, without ``print_every``, as keyword arguments of ``fit``."""
        options = asdict(self)
        # The caller passes it to fit as ``report_every``.
        del options['print_every']
        return options

    def _check(self, name: str, check: Callable[..., float], **limits: float) -> None:
        value = getattr(self, name)
        if value is not None or name not in _LEFT_TO_THE_DATA:
            check(value, name, **limits)
