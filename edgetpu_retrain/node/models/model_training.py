# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""From a training goal to a new model that is stored and serves; the steps, without ROS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import threading

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.retraining import (
    ProgressCallback,
    retrain,
    TrainingCancelled,
    TrainingOptions,
    TrainingOutcome,
)
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_store import ModelVersion
from edgetpu_retrain.store.samples.sample_store import SampleStore


class Cancellation:
    """
    A wish to stop that is either in time or too late, never half of both.

    Any method may be called from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requested = False
        self._committed = False

    def request(self) -> bool:
        """Ask the training to stop; False when its result is already being stored."""
        with self._lock:
            self._requested = not self._committed
            return self._requested

    def requested(self) -> bool:
        """Tell whether the training is to stop."""
        return self._requested

    def commit(self) -> None:
        """
        Pass the point of no return.

        Raises:
            TrainingCancelled: when the wish came before.
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
    A finished training whose model is on the disk and serves.

    Args:
        outcome: of the training.
        version: of the stored model.
        remark: what went wrong afterwards, '' = nothing.
    """

    outcome: TrainingOutcome
    version: ModelVersion
    remark: str = ''


class ModelTraining:
    """
    Trains models for one extractor.

    Args:
        samples: where the samples are.
        extractor: bytes of the extractor's .tflite file.
        identity: of the extractor.
        add: stores the new model and lets it serve, see :meth:`ModelVersions.add`.
        prune: deletes old versions.
    """

    def __init__(
        self,
        samples: SampleStore,
        extractor: bytes,
        identity: str,
        add: Callable[[bytes, Callable[[int], ModelRecord], Callable[[], None]], ModelVersion],
        prune: Callable[[], object],
    ) -> None:
        self._samples = samples
        self._extractor = extractor
        self._identity = identity
        self._add = add
        self._prune = prune

    def run(
        self,
        options: TrainingOptions,
        cancellation: Cancellation,
        on_progress: ProgressCallback,
    ) -> TrainedModel:
        """
        Train on a snapshot of the samples, store the model and let it serve.

        Args:
            options: of the training.
            cancellation: is asked all along.
            on_progress: called from this thread.

        Raises:
            RetrainError: when there is no new model; the one that serves goes on.
        """
        outcome = retrain(
            self._samples.training_set(extractor=self._identity),
            self._extractor,
            options,
            on_progress=on_progress,
            should_stop=cancellation.requested,
        )
        version = self._add(outcome.model, outcome.record, cancellation.commit)
        remark = ''
        try:
            self._prune()
        except StoreError as error:
            # The new model serves; what is left over takes room and harms nobody.
            remark = str(error)
        return TrainedModel(outcome, version, remark)
