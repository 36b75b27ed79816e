# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.models.training_goal import training_options
import pytest

PARAMETERS = SimpleNamespace(
    num_iter=0, learning_rate=0.0, batch_size=50, reg=0.0, seed=3, rejection_rate=0.05
)


def goal(**fields: Any) -> Any:
    values = {
        'num_iter': 0,
        'learning_rate': 0.0,
        'batch_size': 0,
        'reg': 0.0,
        'weight_scale': 0.0,
        'validation_fraction': 0.2,
        'print_every': 0,
        'seed': -1,
    }
    return SimpleNamespace(**{**values, **fields})


def test_what_a_goal_leaves_open_the_parameters_say() -> None:
    options = training_options(goal(), PARAMETERS)
    assert (options.num_iter, options.learning_rate, options.reg) == (None, None, None)
    assert (options.batch_size, options.print_every, options.seed) == (50, 10, 3)
    assert training_options(goal(seed=0, batch_size=7), PARAMETERS).batch_size == 7


@pytest.mark.parametrize(
    ('fields', 'words'),
    [
        ({'num_iter': 1_000_001}, 'num_iter is 1000001'),
        ({'batch_size': 100_001}, 'batch_size is 100001'),
        ({'num_iter': 20_000, 'batch_size': 50_001}, 'together they may visit 1000000000 samples'),
        ({'learning_rate': 1000.1}, 'at most 1000'),
        ({'reg': 1e300}, 'at most 1e[+]09'),
        ({'weight_scale': 1001.0}, 'at most 1000'),
        ({'weight_scale': math.nan}, 'weight_scale is nan'),
        ({'seed': -2}, 'seed is -2'),
    ],
)
def test_what_is_too_much_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        training_options(goal(**fields), PARAMETERS)
