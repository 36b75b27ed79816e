# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from edgetpu_retrain.demo.exam import Exam, FrameResult
from hypothesis import given
from hypothesis import strategies as st
import pytest


def result(label: str, received_s: float = 0.0, latency_s: float = 0.02) -> FrameResult:
    return FrameResult(label, confidence=0.9, received_s=received_s, latency_s=latency_s)


def test_right_wrong_and_unclassified_frames() -> None:
    exam = Exam(planned=4)
    for stamp in range(4):
        exam.add_truth(stamp, 'cat')
    exam.add_result(0, result('cat'))
    exam.add_result(1, result('coins'))
    exam.add_result(2, result('cat'))
    assert (exam.shown, exam.classified, exam.right) == (4, 3, 2)
    assert exam.accuracy == 0.5
    assert not exam.complete
    assert [frame.right for frame in exam.frames] == [True, False, True, False]


def test_a_classification_counts_only_for_the_frame_with_its_stamp() -> None:
    exam = Exam(planned=1)
    exam.add_truth(1_000_000_001, 'cat')
    exam.add_result(1_000_000_000, result('cat'))
    assert (exam.classified, exam.right) == (0, 0)


def test_the_classification_may_come_before_the_truth() -> None:
    exam = Exam(planned=1)
    exam.add_result(5, result('cat'))
    assert exam.classified == 0
    exam.add_truth(5, 'cat')
    assert exam.complete
    assert exam.accuracy == 1.0


def test_the_first_classification_counts() -> None:
    exam = Exam(planned=1)
    exam.add_truth(5, 'cat')
    exam.add_result(5, result('coins'))
    exam.add_result(5, result('cat'))
    assert exam.right == 0


def test_frames_that_were_never_shown_count_as_wrong() -> None:
    exam = Exam(planned=10)
    exam.add_truth(5, 'cat')
    exam.add_result(5, result('cat'))
    assert exam.accuracy == 0.1
    assert not exam.complete


def test_rate_and_latency_are_those_of_the_classifications() -> None:
    exam = Exam(planned=3)
    for index, latency in enumerate((0.010, 0.020, 0.900)):
        exam.add_truth(index, 'cat')
        exam.add_result(index, result('cat', 100.0 + 0.1 * index, latency))
    assert exam.frames_per_second == pytest.approx(10.0)
    assert exam.latency_s == pytest.approx(0.020)


def test_rate_and_latency_without_classifications_are_zero() -> None:
    exam = Exam(planned=3)
    exam.add_truth(1, 'cat')
    assert (exam.frames_per_second, exam.latency_s, exam.accuracy) == (0.0, 0.0, 0.0)


def test_right_per_subject() -> None:
    exam = Exam(planned=3)
    for stamp, (truth, label) in enumerate((('cat', 'cat'), ('cat', 'coins'), ('coins', 'coins'))):
        exam.add_truth(stamp, truth)
        exam.add_result(stamp, result(label))
    assert exam.right_per_subject() == {'cat': (1, 2), 'coins': (1, 1)}


@given(
    truths=st.dictionaries(st.integers(0, 20), st.sampled_from('ab'), min_size=1),
    answers=st.dictionaries(st.integers(0, 20), st.sampled_from('abc')),
)
def test_every_frame_is_counted_once(truths: dict[int, str], answers: dict[int, str]) -> None:
    exam = Exam(planned=len(truths))
    for stamp, label in answers.items():
        exam.add_result(stamp, result(label))
    for stamp, truth in truths.items():
        exam.add_truth(stamp, truth)
    expected = sum(answers.get(stamp) == truth for stamp, truth in truths.items())
    assert exam.right == expected
    assert exam.accuracy == expected / len(truths)
    assert exam.classified == len(truths.keys() & answers.keys())
