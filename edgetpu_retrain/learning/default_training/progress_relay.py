# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ProgressRelay: forwards the progress of all runs of a training to its caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from edgetpu_retrain.learning.sgd.loop import Progress

Callback = Callable[[int, float, float, float], 'bool | None']


@dataclass
class ProgressRelay:
    """
    Forwards the reports of all runs, with iterations counted across runs.

    Args:
        callback: called with iteration, loss, training and validation accuracy.
        on_progress: called with a Progress, which also has the total number of iterations.
        should_stop: called before every iteration.
        report_every: iterations between reports; 0 = none.
        done: iterations of earlier runs.
        total: the current estimate of the number of iterations of all runs.
    """

    callback: Callback | None
    on_progress: Callable[[Progress], bool | None] | None
    should_stop: Callable[[], bool] | None
    report_every: int
    done: int = 0
    total: int = 0

    def report(self, progress: Progress) -> bool:
        """Forward a run's report, and return whether to stop."""
        whole = replace(
            progress, iteration=self.done + progress.iteration, num_iter=max(self.total, 1)
        )
        stop = False
        if self.callback is not None:
            accuracies = (whole.train_accuracy, whole.validation_accuracy)
            stop = bool(self.callback(whole.iteration, whole.loss, *accuracies))
        if self.on_progress is not None:
            stop = bool(self.on_progress(whole)) or stop
        return stop
