# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What a goal of ~/train may ask for; the rules, without ROS."""

from __future__ import annotations

from collections import deque
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.training_options import TrainingOptions

SEED_OF_THE_NODE = -1

MAX_GOALS = 1000
"""Whose results are kept at a time; a refused goal leaves a result of some kilobytes, too."""


def training_options(goal: Any, parameters: Any) -> TrainingOptions:
    """
    Return what a goal asks for, the node's parameters where it leaves something open.

    Args:
        goal: a ``Train.Goal``.
        parameters: of the node.

    Raises:
        RequestError: when a value is impossible; the message names it.
    """
    if goal.seed < SEED_OF_THE_NODE:
        raise RequestError(
            f"seed is {goal.seed}; it must be 0 or more, or -1 for the node's parameter seed."
        )
    return TrainingOptions(
        # None, in the end, is what suits the samples.
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


class GoalLimit:
    """
    Tells which goals are too many, because the result of each is kept for a while.

    Args:
        kept_s: how long a result is kept, seconds.
    """

    def __init__(self, kept_s: float) -> None:
        self._kept_s = kept_s
        self._came: deque[float] = deque()

    def takes(self, now: float) -> bool:
        """Tell whether a goal is taken that comes now, in seconds of :func:`time.monotonic`."""
        while self._came and self._came[0] <= now - self._kept_s:
            self._came.popleft()
        if len(self._came) >= MAX_GOALS:
            return False
        self._came.append(now)
        return True
