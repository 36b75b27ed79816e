# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What is noted of a model that a test saves."""

from __future__ import annotations

from edgetpu_retrain.store.models.model_record import ModelRecord

RECORD = ModelRecord(
    labels=('mug', 'hat'),
    sample_counts={'mug': 12, 'hat': 8},
    train_accuracy=1.0,
    validation_accuracy=0.75,
    quantized_validation_accuracy=0.75,
    confusion_matrix=((2, 0), (1, 1)),
    extractor='a' * 64,
    seconds=0.25,
)
