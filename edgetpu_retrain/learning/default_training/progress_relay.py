# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ProgressRelay: forwards the progress of all runs of a training to the caller of ``fit``."""

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
        callback: called with iteration, loss, training accuracy and validation accuracy; returning
            True stops the training.
        on_progress: likewise, called with a Progress, which also has the total number of
            iterations.
        should_stop: called before every iteration; returning True stops the training.
        report_every: iterations between reports; 0 = no reports.
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
        """Forward a run's report, and return whether to stop the training."""
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
