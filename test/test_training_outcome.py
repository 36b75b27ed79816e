# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import math

from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.learning.training_report import TrainingReport
from edgetpu_retrain.learning.unknown import UnknownDetector
from edgetpu_retrain.training_options import TrainingOptions
from edgetpu_retrain.training_outcome import TrainingOutcome
import numpy as np

LABELS = ('mug', 'hat', 'dog')
CONFUSION = np.array([[8, 0, 0], [1, 5, 0], [0, 2, 4]])
REPORT = TrainingReport(
    method='held-out split',
    num_samples=100,
    iterations=120,
    measuring_runs=(120,),
    accuracy=0.85,
    train_accuracy=1.0,
    expected_calibration_error=0.02,
    rejection_rate=0.05,
    confusion_matrix=CONFUSION,
    held_out=np.arange(20),
    class_counts=np.array([40, 30, 30]),
    held_out_units=('recordings', 'blocks', 'recordings'),
)
OUTCOME = TrainingOutcome(
    model=b'model',
    head=Head(np.eye(3, dtype=np.float32), np.zeros(3, np.float32), LABELS),
    sample_counts={'mug': 40, 'hat': 30, 'dog': 30},
    report=REPORT,
    quantized_validation_accuracy=0.8,
    extractor='a' * 64,
    options=TrainingOptions(num_iter=7),
    seconds=0.44,
)


def test_the_message_has_accuracies_and_mistakes() -> None:
    assert (
        'Trained 3 classes on 100 samples in 240 iterations, 120 of them to measure the accuracy.'
        in OUTCOME.message
    )
    assert '85.0 % right of 20 samples held out' in OUTCOME.message
    assert "Most confused: 2 of 6 'dog' taken for 'hat'." in OUTCOME.message
    assert OUTCOME.message.endswith('After quantization 80.0 %.')


def test_the_message_has_no_accuracy_that_was_not_measured() -> None:
    nothing = np.zeros((3, 3), np.int64)
    report = dataclasses.replace(
        REPORT, method='none', accuracy=math.nan, confusion_matrix=nothing
    )
    outcome = dataclasses.replace(OUTCOME, report=report, quantized_validation_accuracy=math.nan)
    assert 'Nothing could be measured' in outcome.message
    assert 'nan' not in outcome.message
    record = outcome.record()
    assert record.validation_accuracy is record.quantized_validation_accuracy is None
    assert record.held_out_unit == ''
    assert type(record).from_json(record.to_json()) == record


def test_the_record_has_the_threshold_of_unknown_things() -> None:
    assert OUTCOME.record().thresholds == {}
    detector = UnknownDetector(np.zeros(3, np.float32), np.ones(3, np.float32), -0.5)
    head = dataclasses.replace(OUTCOME.head, unknown=detector)
    assert dataclasses.replace(OUTCOME, head=head).record().thresholds == {'unknown': -0.5}


def test_the_record_has_everything_but_the_model() -> None:
    record = OUTCOME.record(parent_version=4)
    assert record.labels == LABELS
    assert record.sample_counts == {'mug': 40, 'hat': 30, 'dog': 30}
    assert (record.train_accuracy, record.validation_accuracy) == (1.0, 0.85)
    assert record.quantized_validation_accuracy == 0.8
    assert record.confusion_matrix == ((8, 0, 0), (1, 5, 0), (0, 2, 4))
    assert record.extractor == 'a' * 64
    assert record.seconds == 0.44
    assert record.held_out_unit == 'blocks'
    assert record.parent_version == 4
    assert record.options['num_iter'] == 7


def test_without_a_mistake_in_one_recording_quantization_is_not_said_to_be_perfect() -> None:
    report = dataclasses.replace(
        OUTCOME.report,
        accuracy=1.0,
        confusion_matrix=10 * np.eye(2, dtype=np.int64),
        held_out_units=('blocks', 'blocks'),
    )
    outcome = dataclasses.replace(OUTCOME, report=report, quantized_validation_accuracy=1.0)
    assert outcome.message.endswith('No mistake after quantization either.')
    assert '100 %' not in outcome.message
