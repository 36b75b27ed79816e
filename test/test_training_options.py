# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import re
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np
import pytest


@pytest.mark.parametrize(
    'options',
    [
        {},
        {'num_iter': 1, 'batch_size': 1, 'print_every': 1, 'seed': 0},
        {'num_iter': 1_000_000, 'batch_size': 1000, 'print_every': 10**9, 'seed': 2**63},
        {'learning_rate': 1e-9, 'reg': 0.0, 'weight_scale': 0.0, 'validation_fraction': 0.999},
        {'num_iter': None, 'learning_rate': None, 'reg': None, 'rejection_rate': 0.0},
        {'num_iter': np.int64(5), 'learning_rate': np.float32(0.5), 'reg': 1},
    ],
)
def test_valid_options_are_returned_unchanged(options: dict[str, Any]) -> None:
    wanted = TrainingOptions(**options)
    assert wanted.validated() is wanted


@pytest.mark.parametrize(
    ('name', 'value', 'allowed'),
    [
        ('num_iter', 0, '1 or more'),
        ('num_iter', -1, '1 or more'),
        ('num_iter', 1_000_001, '1 to 1000000'),
        ('num_iter', 10.5, 'a whole number'),
        ('num_iter', True, 'a whole number'),
        ('batch_size', 0, '1 or more'),
        ('batch_size', 100_001, '1 to 100000'),
        ('print_every', 0, '1 or more'),
        ('seed', -1, '0 or more'),
        ('learning_rate', 0.0, 'above 0'),
        ('learning_rate', -0.1, 'above 0'),
        ('learning_rate', math.nan, 'a finite number'),
        ('learning_rate', math.inf, 'a finite number'),
        ('reg', -1e-9, '0 or more'),
        ('reg', math.nan, 'a finite number'),
        ('weight_scale', -1.0, '0 or more'),
        ('weight_scale', math.inf, 'a finite number'),
        ('batch_size', None, 'a whole number'),
        ('rejection_rate', -0.1, '0 or more'),
        ('rejection_rate', 1.0, 'below 1'),
        ('validation_fraction', 0.0, 'above 0'),
        ('validation_fraction', 1.0, 'below 1'),
        ('validation_fraction', math.nan, 'a finite number'),
    ],
)
def test_invalid_options_are_named_with_their_value(name: str, value: Any, allowed: str) -> None:
    with pytest.raises(RequestError, match=f'{name} is {re.escape(str(value))}.*{allowed}'):
        TrainingOptions(**{name: value}).validated()
