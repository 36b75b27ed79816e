# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The demo's terminal output: samples, training progress and the exam's score."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import contextlib
import math
from typing import Any

from edgetpu_retrain.demo.exam import Exam
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

_BAR_WIDTH = 24


def sample_bars(console: Console) -> Progress:
    """Return an empty rich ``Progress`` for bars that count samples; the caller adds the bars."""
    return _bars(console, 14, '{task.completed:.0f} of {task.total:.0f} samples')


@contextlib.contextmanager
def training_bar(console: Console) -> Iterator[Callable[[Any], None]]:
    """Show the progress of a training; yield a function to call with each ``Train.Feedback``."""
    with _bars(console, 9, '{task.fields[figures]}') as progress:
        # A bar that is not started shows activity while the total is unknown.  (rich 11 does not
        # support total=None.)
        bar = progress.add_task('training', start=False, figures='')

        def show(now: Any) -> None:
            accuracies = f'{now.train_accuracy:.0%}, held-out {now.validation_accuracy:.0%}'
            figures = f'loss {now.loss:.3f}  accuracy {accuracies}'
            progress.start_task(bar)
            progress.update(bar, completed=now.iteration, total=now.num_iter, figures=figures)

        yield show
        # Fill the bar, because there may be no feedback for the last iteration.
        progress.update(bar, completed=progress.tasks[bar].total)


@contextlib.contextmanager
def exam_bar(console: Console, planned: int) -> Iterator[Callable[[Exam, str], None]]:
    """Show the progress of the exam; yield a function to call with exam and current subject."""
    with _bars(console, 9, '{task.fields[figures]}') as progress:
        bar = progress.add_task('exam', total=planned, figures='')

        def show(exam: Exam, subject: str) -> None:
            # Show the score of the classified frames, because the newest one may not be
            # classified yet.
            score = f'{exam.right}/{exam.classified} right'
            figures = f'{score}  {exam.frames_per_second:.1f} frames/s  {subject}'
            progress.update(bar, completed=exam.shown, figures=figures)

        yield show


def print_score(console: Console, exam: Exam) -> None:
    """Print the result of the exam, for each subject and in total."""
    table = Table('subject', 'right', 'of', box=None, padding=(0, 2))
    for column in table.columns[1:]:
        column.justify = 'right'
    for subject, (right, shown) in sorted(exam.right_per_subject().items()):
        colour = 'green' if right == shown else 'yellow'
        table.add_row(subject, f'[{colour}]{right}', str(shown))
    console.print(table)
    # Round down, so that 100.0 % is shown only if all frames are right.
    percent = math.floor(exam.accuracy * 1000.0) / 10.0
    console.print(
        f'  [bold]{exam.right} of {exam.planned} right ({percent:.1f} %)[/bold], '
        f'{exam.classified} classified at {exam.frames_per_second:.1f} frames/s,\n'
        f'  {exam.latency_s * 1000.0:.0f} ms from a frame to its classification (median)'
    )


def _bars(console: Console, width: int, text: str) -> Progress:
    """Return a ``Progress``; a bar has a padded description on the left, a text on the right."""
    description = TextColumn(f'  {{task.description:<{width}}}')
    return Progress(description, BarColumn(_BAR_WIDTH), TextColumn(text), console=console)
