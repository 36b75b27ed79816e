# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks of the goals of ~/train, without ROS."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.training_options import TrainingOptions

SEED_OF_THE_NODE = -1

MAX_GOALS = 1000
"""Goals whose results are kept at a time: a few kilobytes each, also those of aborted goals."""


def training_options(goal: Any, parameters: Any) -> TrainingOptions:
    """
    Return the options in a goal; the node's parameters replace values of 0.

    Args:
        goal: a ``Train.Goal``.
        parameters: of the node.

    Raises:
        RequestError: if a value is invalid; the message names it.
    """
    if goal.seed < SEED_OF_THE_NODE:
        raise RequestError(
            f"seed is {goal.seed}; it must be 0 or more, or -1 for the node's parameter seed."
        )
    return TrainingOptions(
        # None = chosen to suit the samples.
        num_iter=goal.num_iter or parameters.num_iter or None,
        learning_rate=goal.learning_rate or parameters.learning_rate or None,
        batch_size=goal.batch_size or parameters.batch_size,
        reg=goal.reg or parameters.reg or None,
        weight_scale=goal.weight_scale,
        validation_fraction=goal.validation_fraction,
        print_every=goal.print_every or TrainingOptions.print_every,
        seed=parameters.seed if goal.seed == SEED_OF_THE_NODE else goal.seed,
        rejection_rate=parameters.rejection_rate,
    ).validated()
