# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
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
