# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
import io

from edgetpu_retrain.demo.exam import Answer, Exam
from edgetpu_retrain.demo.report import Report
import pytest
from rich.console import Console


class Sheet:
    """A report on paper: what was printed can be read."""

    def __init__(self) -> None:
        self._paper = io.StringIO()
        self.report = Report(Console(file=self._paper, width=100, highlight=False))

    @property
    def text(self) -> str:
        return self._paper.getvalue()


@pytest.fixture
def sheet() -> Sheet:
    return Sheet()


def exam(right: int, wrong: int) -> Exam:
    result = Exam(planned=right + wrong)
    for stamp in range(right + wrong):
        result.add_truth(stamp, 'cat')
        label = 'cat' if stamp < right else 'coins'
        result.add_answer(stamp, Answer(label, 0.9, received_s=0.1 * stamp, latency_s=0.025))
    return result


def test_samples_and_classes_in_all(sheet: Sheet) -> None:
    sheet.report.samples({'cat': 30, 'coins': 12})
    assert '42 samples of 2 classes' in sheet.text


def test_teaching_ends_with_full_bars(sheet: Sheet) -> None:
    with sheet.report.teaching() as bars:
        bar = bars.start('cat', 30)
        bars.update(bar, 10)
        bars.update(bar, 30)
    assert 'cat' in sheet.text
    assert '30 of 30 samples' in sheet.text


def test_training_shows_loss_and_accuracies(sheet: Sheet) -> None:
    with sheet.report.training() as bar:
        bar.update(500, 500, loss=0.1234, train=1.0, validation=0.975)
    assert 'loss 0.123' in sheet.text
    assert 'of taught 100%' in sheet.text
    assert 'of held out 98%' in sheet.text


def test_a_training_that_has_told_nothing_yet_is_shown(sheet: Sheet) -> None:
    with sheet.report.training() as bar:
        bar.finish()
    assert 'training' in sheet.text


def test_a_finished_training_has_a_full_bar(sheet: Sheet) -> None:
    with sheet.report.training() as bar:
        bar.update(491, 500, loss=0.1, train=1.0, validation=1.0)
        bar.finish()
    assert 24 * '━' in sheet.text


def test_the_exam_shows_the_running_score_and_the_frame_rate(sheet: Sheet) -> None:
    with sheet.report.exam(10) as bar:
        bar.update(exam(right=7, wrong=3), 'cat')
    assert '7/10 right' in sheet.text
    assert '10.0 frames/s' in sheet.text


def test_the_score_is_never_rounded_up_to_perfection(sheet: Sheet) -> None:
    sheet.report.score(exam(right=2999, wrong=1))
    assert '2999 of 3000 right (99.9 %)' in sheet.text
    assert '25 ms from a frame to its answer' in sheet.text


def test_square_brackets_in_messages_are_printed_as_they_are(sheet: Sheet) -> None:
    sheet.report.line('labels [cat] and [/cat]')
    assert 'labels [cat] and [/cat]' in sheet.text
