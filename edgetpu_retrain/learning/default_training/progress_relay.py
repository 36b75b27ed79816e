# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Combined progress reports of a training that consists of several runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from edgetpu_retrain.learning.sgd.loop import Progress

Callback = Callable[[int, float, float, float], 'bool | None']


class ProgressRelay:
    """
    Forwards the reports of all runs, with iterations counted across runs.

    Args:
        callback: called with iteration, loss, training and validation accuracy.
        on_progress: called with a Progress, which also has the total number of iterations.
        should_stop: called before every iteration.
        report_every: iterations between reports.
    """

    def __init__(
        self,
        callback: Callback | None,
        on_progress: Callable[[Progress], bool | None] | None,
        should_stop: Callable[[], bool] | None,
        report_every: int,
    ) -> None:
        self._callback = callback
        self._on_progress = on_progress
        self.should_stop = should_stop
        listening = callback is not None or on_progress is not None
        self.report_every = report_every if listening else 0
        # Iterations of earlier runs, and the current estimate of the total.
        self.done = 0
        self.total = 0

    def report(self, progress: Progress) -> bool:
        """Forward a run's report, and return whether to stop."""
        whole = replace(
            progress, iteration=self.done + progress.iteration, num_iter=max(self.total, 1)
        )
        stop = False
        if self._callback is not None:
            accuracies = (whole.train_accuracy, whole.validation_accuracy)
            stop = bool(self._callback(whole.iteration, whole.loss, *accuracies))
        if self._on_progress is not None:
            stop = bool(self._on_progress(whole)) or stop
        return stop
