# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""From the types of a training to the messages of ~/train."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.learning import Progress
from edgetpu_retrain.node.models.model_training import TrainedModel
from edgetpu_retrain.wording import sentence
from edgetpu_retrain_interfaces.action import Train


def progress_feedback(progress: Progress) -> Train.Feedback:
    """Return a ``Train.Feedback``, which counts the iterations that are done."""
    return Train.Feedback(
        iteration=progress.iteration + 1,
        num_iter=progress.num_iter,
        loss=progress.loss,
        train_accuracy=progress.train_accuracy,
        validation_accuracy=progress.validation_accuracy,
    )


def fill_result(result: Any, trained: TrainedModel) -> None:
    """Fill a ``Train.Result`` with all but the seconds that the whole goal took."""
    outcome, version = trained.outcome, trained.version
    result.success = True
    result.message = f'{outcome.message} Model version {version.version} serves: {version.path}'
    if trained.remark:
        result.message += f' {sentence(trained.remark)}'
    result.model_path = str(version.path)
    result.model_version = version.version
    result.labels = list(outcome.labels)
    result.train_accuracy = outcome.train_accuracy
    result.validation_accuracy = outcome.validation_accuracy
    result.quantized_validation_accuracy = outcome.quantized_validation_accuracy
    result.confusion_matrix = outcome.confusion_matrix.flatten().tolist()
