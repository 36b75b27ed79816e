# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""TrainingOptions: what one may choose about a training, and its limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.learning.arguments import real_number, whole_number

MAX_ITERATIONS = 1_000_000
"""More than any set that fits a robot needs; SGD has converged long before."""

MAX_BATCH_SIZE = 100_000
"""Samples: 512 MB of the default extractor's embeddings in float32."""

MAX_VISITS = 1_000_000_000
"""Iterations times samples in each: hours on a robot's CPU."""

MAX_LEARNING_RATE = 1000.0
MAX_REG = 1e9
MAX_WEIGHT_SCALE = 1000.0
"""Above these three the numbers of a training are no longer finite, whatever the samples are."""

_LEFT_TO_THE_DATA = ('num_iter', 'learning_rate', 'reg')


@dataclass(frozen=True)
class TrainingOptions:
    """
    What one may choose about a training; None leaves it to the data.

    Args:
        num_iter: SGD iterations, 1 to 1000000.
        learning_rate: first step size, above 0, at most 1000.
        batch_size: samples in an iteration, 1 to 100000.
        reg: strength of the L2 regularization of the weights, 0 to 1e9.
        weight_scale: standard deviation of the random first weights, at most 1000; 0 begins with
            class means.
        validation_fraction: share of each class held out to measure with, above 0, below 1.
        print_every: iterations from one report of progress to the next, 1 or more.
        seed: of all randomness, 0 or more.  The same samples and seed give the same model on the
            same kind of processor; on another kind, scales differ by roundings.
        rejection_rate: share of known things that may be called unknown, 0 to below 1; where the
            samples are near copies of each other it is less.
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
        Return these options.

        Raises:
            RequestError: when one is out of range; the message names it and what is allowed.
        """
        try:
            for name in ('num_iter', 'batch_size', 'print_every'):
                self._check(name, whole_number, minimum=1)
            whole_number(self.seed, 'seed', minimum=0)
            for name in ('learning_rate', 'validation_fraction'):
                self._check(name, real_number, above=0.0)
            for name in ('reg', 'weight_scale', 'rejection_rate'):
                self._check(name, real_number)
        except ValueError as error:
            raise RequestError(f'{error}.') from error
        if self.num_iter is not None and self.num_iter > MAX_ITERATIONS:
            raise RequestError(f'num_iter is {self.num_iter}; it must be 1 to {MAX_ITERATIONS}.')
        if self.batch_size > MAX_BATCH_SIZE:
            raise RequestError(
                f'batch_size is {self.batch_size}; it must be 1 to {MAX_BATCH_SIZE}.'
            )
        if (self.num_iter or 1) * self.batch_size > MAX_VISITS:
            raise RequestError(
                f'num_iter is {self.num_iter} and batch_size {self.batch_size}; together they may '
                f'visit {MAX_VISITS} samples.'
            )
        for name, most in (
            ('learning_rate', MAX_LEARNING_RATE),
            ('reg', MAX_REG),
            ('weight_scale', MAX_WEIGHT_SCALE),
        ):
            if (getattr(self, name) or 0.0) > most:
                raise RequestError(
                    f'{name} is {getattr(self, name)}; it must be at most {most:g}.'
                )
        for name in ('validation_fraction', 'rejection_rate'):
            if getattr(self, name) >= 1.0:
                raise RequestError(f'{name} is {getattr(self, name)}; it must be below 1.')
        return self

    def for_fit(self) -> dict[str, Any]:
        """Return the arguments of ``fit`` that these options are."""
        options = asdict(self)
        # How often to report is the caller's.
        del options['print_every']
        return options

    def _check(self, name: str, check: Callable[..., float], **limits: float) -> None:
        value = getattr(self, name)
        if value is not None or name not in _LEFT_TO_THE_DATA:
            check(value, name, **limits)
