# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.node.classifications.message import classification_message
from edgetpu_retrain.runtime.models.prediction import predict, Prediction, UNKNOWN_CLASS
import numpy as np
from std_msgs.msg import Header

LABELS = ('cat', 'dog', 'bird')
SCORES = np.array([0.2, 0.5, 0.3], np.float32)


def ids(prediction: Prediction, max_results: int = 0) -> list[str]:
    message = classification_message(Header(frame_id='here'), LABELS, prediction, max_results)
    assert message.header.frame_id == 'here'
    return [each.class_id for each in message.results]


def test_the_best_class_comes_first() -> None:
    assert ids(Prediction(SCORES, 0.0, best=1)) == ['dog', 'bird', 'cat']
    assert ids(Prediction(SCORES, 0.0, best=1), max_results=2) == ['dog', 'bird']


def test_a_class_kept_by_hysteresis_comes_first() -> None:
    assert ids(Prediction(SCORES, 0.0, best=0)) == ['cat', 'dog', 'bird']


def test_unknown_comes_first_and_all_classes_follow() -> None:
    unknown = Prediction(SCORES, 0.5, best=UNKNOWN_CLASS)
    assert ids(unknown) == ['unknown', 'dog', 'bird', 'cat']
    assert ids(unknown, max_results=1) == ['unknown']


def test_unknown_stands_in_place_of_the_background() -> None:
    def found(*scores: float) -> Prediction:
        return predict(np.array(scores, np.float32), LABELS, background_label='dog')

    assert ids(found(0.5, 0.3, 0.2)) == ['cat', 'unknown', 'bird']
    assert ids(found(0.3, 0.5, 0.2)) == ['unknown', 'cat', 'bird']
    message = classification_message(Header(), LABELS, found(0.5, 0.3, 0.2), 0)
    np.testing.assert_allclose([each.score for each in message.results], [0.5, 0.3, 0.2])
