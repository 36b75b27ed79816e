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
from __future__ import annotations

import dataclasses

from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.training_options import TrainingOptions
from edgetpu_retrain.training_outcome import TrainingOutcome
import numpy as np

LABELS = ('mug', 'hat', 'dog')
OUTCOME = TrainingOutcome(
    model=b'model',
    head=Head(np.eye(3, dtype=np.float32), np.zeros(3, np.float32), LABELS),
    labels=LABELS,
    sample_counts={'mug': 40, 'hat': 30, 'dog': 30},
    train_accuracy=1.0,
    validation_accuracy=0.85,
    quantized_validation_accuracy=0.8,
    confusion_matrix=np.array([[8, 0, 0], [1, 5, 0], [0, 2, 4]]),
    extractor='a' * 64,
    options=TrainingOptions(num_iter=7),
    seconds=0.44,
)


def test_the_message_says_how_good_the_model_is_and_where_it_fails() -> None:
    assert OUTCOME.message == (
        'Trained 3 classes on 80 samples in 0.4 s: 85.0 % of 20 held-out samples right '
        "(80.0 % after quantization). Most confused: 2 of 6 'dog' taken for 'hat'."
    )


def test_without_a_mistake_nothing_is_called_confused() -> None:
    right = dataclasses.replace(OUTCOME, confusion_matrix=np.diag([8, 6, 6]))
    assert right.message.endswith('after quantization).')


def test_the_record_has_everything_but_the_model() -> None:
    record = OUTCOME.record(parent_version=4)
    assert record.labels == LABELS
    assert record.sample_counts == {'mug': 40, 'hat': 30, 'dog': 30}
    assert (record.train_accuracy, record.validation_accuracy) == (1.0, 0.85)
    assert record.quantized_validation_accuracy == 0.8
    assert record.confusion_matrix == ((8, 0, 0), (1, 5, 0), (0, 2, 4))
    assert record.extractor == 'a' * 64
    assert record.seconds == 0.44
    assert record.parent_version == 4
    assert record.options['num_iter'] == 7
