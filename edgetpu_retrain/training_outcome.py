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
"""TrainingOutcome: what a finished training made, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
from dataclasses import dataclass

from edgetpu_retrain.learning import Head, IntArray
from edgetpu_retrain.store.model_record import matrix_rows, ModelRecord
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np


@dataclass(frozen=True, eq=False)
class TrainingOutcome:
    """
    A finished training.

    Args:
        model: bytes of the retrained .tflite file, labels inside.
        head: the head in it, before quantization.
        labels: class names in the order of the model's outputs.
        sample_counts: class name to number of samples, held-out ones included.
        train_accuracy: share of the training samples that the head gets right.
        validation_accuracy: the same of the held-out samples.
        quantized_validation_accuracy: the same by the model file's own layers.
        confusion_matrix: held-out samples, int64 ``[C, C]``; row = truth, column = answer of
            the head before quantization.
        extractor: identity of the extractor, the SHA-256 of its file.
        options: what was asked for.
        seconds: how long it took.
    """

    model: bytes
    head: Head
    labels: tuple[str, ...]
    sample_counts: Mapping[str, int]
    train_accuracy: float
    validation_accuracy: float
    quantized_validation_accuracy: float
    confusion_matrix: IntArray
    extractor: str
    options: TrainingOptions
    seconds: float

    def record(self, parent_version: int = 0) -> ModelRecord:
        """
        Return what the model store keeps beside the model.

        Args:
            parent_version: the version that was the newest until now, 0 = none.
        """
        return ModelRecord(
            labels=self.labels,
            sample_counts=self.sample_counts,
            train_accuracy=self.train_accuracy,
            validation_accuracy=self.validation_accuracy,
            quantized_validation_accuracy=self.quantized_validation_accuracy,
            confusion_matrix=matrix_rows(self.confusion_matrix),
            extractor=self.extractor,
            seconds=self.seconds,
            parent_version=parent_version,
            options=dataclasses.asdict(self.options),
        )

    @property
    def message(self) -> str:
        """How good the model is, in words."""
        held_out = int(self.confusion_matrix.sum())
        trained = sum(self.sample_counts.values()) - held_out
        return (
            f'Trained {len(self.labels)} classes on {trained} samples in {self.seconds:.1f} s: '
            f'{100 * self.validation_accuracy:.1f} % of {held_out} held-out samples right '
            f'({100 * self.quantized_validation_accuracy:.1f} % after quantization).'
            f'{self._most_confused()}'
        )

    def _most_confused(self) -> str:
        mistakes = self.confusion_matrix.copy()
        np.fill_diagonal(mistakes, 0)
        truth, answer = np.unravel_index(np.argmax(mistakes), mistakes.shape)
        count, total = mistakes[truth, answer], self.confusion_matrix[truth].sum()
        if not count:
            return ''
        return (
            f' Most confused: {count} of {total} {self.labels[truth]!r} taken for '
            f'{self.labels[answer]!r}.'
        )
