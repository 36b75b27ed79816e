# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The client of the soak test that trains."""

from __future__ import annotations

import time

from benchmarks.soak.client import Client, PATIENCE_S
from edgetpu_retrain.client import RetrainClientError, Training

_CANCELLED = 'cancelled'
_RUNNING = 'A training is running'


class Trainer:
    """
    Trains repeatedly; cancels every third training, and sends another goal during every fourth.

    Args:
        period_s: seconds from the start of one training to that of the next.
    """

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s

    def __call__(self, client: Client, number: int) -> None:
        """Train once."""
        begin = time.monotonic()
        training = client.robot.train(seed=number, print_every=5)
        cancels = number % 3 == 2
        if cancels:
            next(iter(training), None)
            training.cancel()
        if number % 4 == 3:
            # The training before may have ended just now.
            _end(client, client.robot.train(), _RUNNING)
        # A training that is about to be stored can no longer be cancelled.
        _end(client, training, _CANCELLED if cancels else None)
        client.pause(begin + self._period_s - time.monotonic())


def _end(client: Client, training: Training, allowed_error: str | None) -> None:
    try:
        training.result(PATIENCE_S)
        client.record.counts['trainings'] += 1
    except RetrainClientError as error:
        if allowed_error is None or allowed_error not in str(error):
            client.error(f'training failed: {error}')
        elif allowed_error == _CANCELLED:
            client.record.counts['trainings cancelled'] += 1
