# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""From a training goal to a new model that is stored and serves; the steps, without ROS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import threading

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.node.models.model_versions import ModelVersions
from edgetpu_retrain.retraining import ProgressCallback, retrain, TrainingCancelled
from edgetpu_retrain.store.models.model_store import ModelVersion
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.training_options import TrainingOptions
from edgetpu_retrain.training_outcome import TrainingOutcome


class Cancellation:
    """
    A request to cancel a training, which either succeeds or comes too late.

    All methods are thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requested = False
        self._committed = False

    def request(self) -> bool:
        """Cancel the training; return False if its result is already being stored."""
        with self._lock:
            self._requested = not self._committed
            return self._requested

    def requested(self) -> bool:
        """Return whether the training must stop."""
        return self._requested

    def commit(self) -> None:
        """
        Reject later requests.

        Raises:
            TrainingCancelled: if the training was cancelled before.
        """
        with self._lock:
            if self._requested:
                raise TrainingCancelled(
                    'The training was cancelled after its last iteration; there is no new model.'
                )
            self._committed = True


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """
    A finished training whose model is stored and serves.

    Args:
        outcome: of the training.
        version: of the stored model.
        remark: a problem that occurred afterwards; '' = none.
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
    keep_models: Callable[[], int],
) -> TrainedModel:
    """
    Train on a snapshot of the samples, store the model and serve it.

    Args:
        samples: the store.
        extractor: bytes of the extractor's .tflite file.
        versions: stores and serves the model.
        options: of the training.
        cancellation: checked before every iteration and before the model is stored.
        on_progress: called from this thread.
        keep_models: returns how many versions to keep.

    Raises:
        RetrainError: if there is no new model; the previous one still serves.
    """
    outcome = retrain(
        samples.training_set(extractor=versions.extractor),
        extractor,
        options,
        on_progress=on_progress,
        should_stop=cancellation.requested,
    )
    version = versions.add(outcome.model, outcome.record, cancellation.commit)
    remark = ''
    try:
        versions.prune(keep_models())
    except StoreError as error:
        # The new model serves; old versions only occupy disk space.
        remark = str(error)
    return TrainedModel(outcome, version, remark)
