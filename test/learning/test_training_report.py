# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
import math

from edgetpu_retrain.learning import TrainingReport
from edgetpu_retrain.learning.training_report import TAUGHT_IN_ONE_GO
import numpy as np
import pytest

CONFUSION = np.array([[8, 2, 0], [0, 10, 0], [0, 0, 0]])
REPORT = TrainingReport(
    method='held-out split',
    num_samples=101,
    iterations=40,
    measuring_runs=(35,),
    accuracy=0.9,
    train_accuracy=1.0,
    expected_calibration_error=0.031,
    rejection_rate=0.05,
    confusion_matrix=CONFUSION,
    held_out=np.arange(20),
    class_counts=np.array([50, 50, 1]),
)


def test_precision_and_recall_are_those_of_the_confusion_matrix() -> None:
    assert REPORT.recall[:2] == pytest.approx([0.8, 1.0])
    assert REPORT.precision[:2] == pytest.approx([1.0, 10 / 12])
    assert math.isnan(REPORT.recall[2])
    assert math.isnan(REPORT.precision[2])
    assert REPORT.most_confused_with(0) == (1, 2)
    assert REPORT.most_confused_with(1) is None


def test_the_text_states_accuracy_and_warnings() -> None:
    words = REPORT.in_words(('cat', 'dog', 'cup'))
    assert 'Trained 3 classes on 101 samples in 75 iterations, 35 of them to measure' in words
    assert '90.0 % right of 20 samples held out' in words
    assert 'differ by 3.1 points' in words
    assert "Most confused: 2 of 10 'cat' taken for 'dog'." in words
    assert "'cat': precision 100 %, recall 80 %, mostly taken for 'dog' (2)." in words
    assert "'cup': precision not measured, recall not measured." in words
    assert "'cat' has 50 samples, 'cup' only 1; training draws every class equally" in words
    assert 'class 0 has 50 samples' in str(REPORT)


def test_with_many_classes_only_the_worst_are_named() -> None:
    classes = 30
    confusion = 10 * np.eye(classes, dtype=np.int64)
    confusion[25] = 0
    confusion[25, 3] = 10
    report = TrainingReport(
        'held-out split', 600, 1, (1,), 0.97, 1.0, 0.0, 0.05, confusion, np.arange(300),
        np.full(classes, 20),
    )  # fmt: skip
    words = report.in_words()
    assert 'class 25: precision not measured, recall 0 %, mostly taken for class 3 (10).' in words
    assert 'class 3: precision 50 %' in words
    assert 'The other 10 classes did better.' in words
    assert words.endswith('The other 10 classes did better.')


def test_figures_of_one_recording_say_that_they_mean_nothing_on_another_day() -> None:
    names = ('cat', 'dog', 'cup')
    once = replace(REPORT, held_out_units=('blocks', 'blocks', None))
    assert f'All classes were {TAUGHT_IN_ONE_GO}.' in once.in_words(names)
    assert once.held_out_unit == 'blocks'
    some = replace(REPORT, held_out_units=('recordings', 'frames', 'blocks'))
    assert f"'dog', 'cup' were {TAUGHT_IN_ONE_GO}." in some.in_words(names)
    assert some.held_out_unit == 'frames'
    one = replace(REPORT, held_out_units=('recordings', 'recordings', 'blocks'))
    assert f"'cup' was {TAUGHT_IN_ONE_GO}." in one.in_words(names)
    days = replace(REPORT, held_out_units=('recordings',) * 3)
    assert TAUGHT_IN_ONE_GO not in days.in_words(names)
    assert 'Whole recordings were held out.' in days.in_words(names)
    assert days.held_out_unit == 'recordings'


def test_without_a_mistake_in_one_recording_no_figure_is_100_percent() -> None:
    flawless = replace(REPORT, accuracy=1.0, confusion_matrix=10 * np.eye(3, dtype=np.int64))
    once = replace(flawless, held_out_units=('blocks',) * 3).in_words()
    assert 'No mistake in 30 samples held out before the final training' in once
    assert '100 %' not in once
    assert '100.0 %' not in once
    days = replace(flawless, held_out_units=('recordings',) * 3).in_words()
    assert '100.0 % right of 30 samples' in days
    assert 'recall 100 %' in days


def test_of_many_classes_that_were_taught_in_one_go_only_the_first_are_named() -> None:
    classes = 30
    report = replace(
        REPORT,
        confusion_matrix=10 * np.eye(classes, dtype=np.int64),
        class_counts=np.full(classes, 20),
        held_out_units=('recordings', *('blocks',) * 29),
    )
    assert f'class 20 and 9 more were {TAUGHT_IN_ONE_GO}.' in report.in_words()
