# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks the goals of ~/train; does not depend on ROS."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.training_options import TrainingOptions

SEED_OF_THE_NODE = -1

MAX_GOALS = 1000
"""Maximum number of goals, aborted goals included, whose results are kept: a few kB each."""


def training_options(goal: Any, parameters: Any) -> TrainingOptions:
    """
    Return the options of a training, from its goal and the node's parameters.

    Args:
        goal: a ``Train.Goal``.
        parameters: the node's parameters.  ``num_iter``, ``learning_rate``, ``batch_size`` and
            ``reg`` replace 0 in the goal, and ``seed`` replaces -1; ``rejection_rate`` is always
            used.

    Raises:
        RequestError: if a value is invalid.
    """
    if goal.seed < SEED_OF_THE_NODE:
        raise RequestError(
            f"seed is {goal.seed}; it must be 0 or more, or -1 for the node's parameter seed."
        )
    return TrainingOptions(
        # None, if goal and parameter are 0: the training then chooses a value that suits the
        # samples.
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
