# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
import io
from types import SimpleNamespace

from edgetpu_retrain.demo.display import exam_bar, print_score, sample_bars, training_bar
from edgetpu_retrain.demo.exam import Exam, FrameResult
import pytest
from rich.console import Console


@pytest.fixture
def console() -> Console:
    """Return a console that writes to memory."""
    return Console(file=io.StringIO(), width=100, highlight=False)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def exam(right: int, wrong: int) -> Exam:
    result = Exam(planned=right + wrong)
    for stamp in range(right + wrong):
        result.add_truth(stamp, 'cat')
        label = 'cat' if stamp < right else 'coins'
        result.add_result(stamp, FrameResult(label, 0.9, received_s=0.1 * stamp, latency_s=0.025))
    return result


def feedback(iteration: int, **figures: float) -> SimpleNamespace:
    return SimpleNamespace(iteration=iteration, num_iter=500, **figures)


def test_teaching_ends_with_full_bars(console: Console) -> None:
    with sample_bars(console) as bars:
        bar = bars.add_task('cat', total=30)
        bars.update(bar, completed=10)
        bars.update(bar, completed=30)
    assert 'cat' in text_of(console)
    assert '30 of 30 samples' in text_of(console)


def test_training_shows_loss_and_accuracies(console: Console) -> None:
    with training_bar(console) as show:
        show(feedback(500, loss=0.1234, train_accuracy=1.0, validation_accuracy=0.975))
    assert 'loss 0.123' in text_of(console)
    assert 'accuracy 100%' in text_of(console)
    assert 'held-out 98%' in text_of(console)


def test_a_training_without_feedback_is_shown(console: Console) -> None:
    with training_bar(console):
        pass
    assert 'training' in text_of(console)


def test_a_finished_training_has_a_full_bar(console: Console) -> None:
    with training_bar(console) as show:
        show(feedback(491, loss=0.1, train_accuracy=1.0, validation_accuracy=1.0))
    assert 24 * '━' in text_of(console)


def test_the_exam_shows_the_running_score_and_the_frame_rate(console: Console) -> None:
    with exam_bar(console, 10) as show:
        show(exam(right=7, wrong=3), 'cat')
    assert '7/10 right' in text_of(console)
    assert '10.0 frames/s' in text_of(console)


def test_the_score_is_never_rounded_up_to_perfection(console: Console) -> None:
    print_score(console, exam(right=2999, wrong=1))
    assert '2999 of 3000 right (99.9 %)' in text_of(console)
    assert '25 ms from a frame to its classification' in text_of(console)
