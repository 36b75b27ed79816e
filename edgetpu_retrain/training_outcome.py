# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""TrainingOutcome: the model of a finished training, and its metrics."""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
from dataclasses import dataclass
import math

from edgetpu_retrain.learning import Head, TrainingReport
from edgetpu_retrain.store.models.model_record import matrix_rows, ModelRecord
from edgetpu_retrain.training_options import TrainingOptions


@dataclass(frozen=True, eq=False)
class TrainingOutcome:
    """
    A finished training.

    Args:
        model: bytes of the retrained .tflite file, with labels.
        head: its head before quantization, with labels.
        sample_counts: number of samples by class, including held-out ones.
        report: the training's report; its accuracies are those of heads before quantization.
        quantized_validation_accuracy: held-out accuracy minus the loss by quantization; NaN if
            there were too few samples to measure it.
        extractor: identity of the extractor.
        options: the training options.
        seconds: duration of the training.
        input_range: normalization of a float32 input; '' for a quantized one.
        newest_sample: largest id of the samples; 0 if they were not stored.
    """

    model: bytes
    head: Head
    sample_counts: Mapping[str, int]
    report: TrainingReport
    quantized_validation_accuracy: float
    extractor: str
    options: TrainingOptions
    seconds: float
    input_range: str = ''
    newest_sample: int = 0

    def record(self, parent_version: int = 0) -> ModelRecord:
        """
        Return the record that the model store keeps with the model.

        Args:
            parent_version: the newest version before this one; 0 = none.
        """
        threshold = self.head.unknown_threshold
        return ModelRecord(
            labels=self.head.labels,
            sample_counts=self.sample_counts,
            train_accuracy=self.report.train_accuracy,
            validation_accuracy=_measured(self.report.accuracy),
            held_out_unit=self.held_out_unit,
            quantized_validation_accuracy=_measured(self.quantized_validation_accuracy),
            confusion_matrix=matrix_rows(self.report.confusion_matrix),
            extractor=self.extractor,
            seconds=self.seconds,
            parent_version=parent_version,
            options=dataclasses.asdict(self.options),
            thresholds={'unknown': threshold} if math.isfinite(threshold) else {},
            input_range=self.input_range,
            newest_sample=self.newest_sample,
        )

    @property
    def held_out_unit(self) -> str:
        """The unit in which samples were held out, such as 'recordings'; '' if none were."""
        return '' if self.report.method == 'none' else self.report.held_out_unit

    @property
    def message(self) -> str:
        """The metrics as text; the most important lines come first."""
        words = self.report.in_words(self.head.labels)
        if math.isnan(self.quantized_validation_accuracy):
            return words
        if self.report.flawless_in_one_go and self.quantized_validation_accuracy == 1.0:
            return f'{words}\nNo mistake after quantization either.'
        return f'{words}\nAfter quantization {100 * self.quantized_validation_accuracy:.1f} %.'


def _measured(accuracy: float) -> float | None:
    return None if math.isnan(accuracy) else accuracy
