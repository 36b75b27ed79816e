# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Trains a model, stores it and serves it; does not depend on ROS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import math
import threading
import time

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.node.models.model_versions import ModelVersions
from edgetpu_retrain.retraining import ProgressCallback, retrain, TrainingCancelled
from edgetpu_retrain.store.models.model_store import ModelVersion
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.training_options import TrainingOptions
from edgetpu_retrain.training_outcome import TrainingOutcome

LONGEST_PAUSE_S = 0.05
"""
Maximum pause of a training, seconds.

A frame of 1920x1080 takes 10 to 30 ms, but a device can hang.
"""


class Cancellation:
    """Decides whether a request to cancel a training succeeds or comes too late; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requested = False
        self._committed = False

    def request(self) -> bool:
        """Cancel the training, and return True; after :meth:`commit`, only return False."""
        with self._lock:
            self._requested = not self._committed
            return self._requested

    def requested(self) -> bool:
        """Return whether the training is cancelled."""
        return self._requested

    def commit(self) -> None:
        """
        Reject later requests; call this method right before the model is stored.

        Raises:
            TrainingCancelled: if the training is already cancelled.
        """
        with self._lock:
            if self._requested:
                raise TrainingCancelled(
                    'The training was cancelled after its last iteration; there is no new model.'
                )
            self._committed = True


class FramesFirst:
    """
    Pauses a training between two steps while frames are processed, to limit their latency.

    After a pause, the training runs for at least as long as it has paused.  So a training takes at
    most twice as long, even if a frame is always being processed.

    Args:
        wait_until_idle: waits until no frame is pending or being processed; called with a timeout,
            seconds.
        clock: returns the time, seconds.
    """

    def __init__(
        self,
        wait_until_idle: Callable[[float], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wait_until_idle = wait_until_idle
        self._clock = clock
        self._works_until = -math.inf

    def __call__(self) -> None:
        """Pause while a frame is being processed, if a pause is due; call it between two steps."""
        begin = self._clock()
        if begin >= self._works_until:
            self._wait_until_idle(LONGEST_PAUSE_S)
            end = self._clock()
            self._works_until = end + (end - begin)


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """
    The result of a training whose model is stored and serves.

    Args:
        outcome: the model and its figures.
        version: the stored version.
        remark: why old versions could not be deleted; '' if there was no problem.
    """

    outcome: TrainingOutcome
    version: ModelVersion
    remark: str = ''


def train_model(
    samples: SampleStore,
    extractor: bytes,
    versions: ModelVersions,
    options: TrainingOptions,
    cancellation: Cancellation,
    on_progress: ProgressCallback,
    wait_until_idle: Callable[[float], object],
    keep_models: Callable[[], int],
) -> TrainedModel:
    """
    Train on a snapshot of the samples, store the model and serve it.

    Args:
        samples: the store of the samples.
        extractor: bytes of the extractor's .tflite file.
        versions: stores and serves the model.
        options: the options of the training.
        cancellation: checked before every iteration and before the model is stored.
        on_progress: called with the progress, in the calling thread; see
            :func:`~edgetpu_retrain.retraining.retrain`.
        wait_until_idle: see :class:`FramesFirst`.
        keep_models: returns how many versions to keep on disk.

    Raises:
        RetrainError: if training, storing or serving fails, or the training is cancelled; the
            serving model stays the same.
        CancelledError: if the node is deactivated before the new model serves.
    """
    taught = samples.training_set(extractor=versions.extractor)
    pause = FramesFirst(wait_until_idle)

    def should_stop() -> bool:
        pause()
        return cancellation.requested()

    outcome = retrain(taught, extractor, options, on_progress=on_progress, should_stop=should_stop)
    version = versions.add(outcome.model, outcome.record, cancellation.commit)
    try:
        versions.prune(keep_models())
    except StoreError as error:
        # The new model serves; old versions only occupy disk space.
        return TrainedModel(outcome, version, str(error))
    return TrainedModel(outcome, version)
