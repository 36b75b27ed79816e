# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The demo's terminal output: samples, training progress and the exam's score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import contextlib
import math

from edgetpu_retrain.demo.exam import Exam
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table

_BAR_WIDTH = 24


class TeachingBars:
    """One progress bar of samples per class."""

    def __init__(self, progress: Progress) -> None:
        """Draw on `progress`."""
        self._progress = progress

    def start(self, label: str, planned: int) -> TaskID:
        """Add the bar of a class and return its number."""
        return self._progress.add_task(label, total=planned)

    def update(self, bar: TaskID, samples: int) -> None:
        """Set the samples of a class."""
        self._progress.update(bar, completed=samples)


class TrainingBar:
    """The bar of the training, with loss and accuracies."""

    def __init__(self, progress: Progress) -> None:
        """Draw on `progress`."""
        self._progress = progress
        # Until the first feedback it only tells that work goes on.  rich 11 knows no total=None.
        self._bar = progress.add_task('training', start=False, figures='')

    def update(
        self, iteration: int, num_iter: int, loss: float, train: float, validation: float
    ) -> None:
        """Show the state after `iteration` of `num_iter` iterations."""
        figures = f'loss {loss:.3f}  right of taught {train:.0%}, of held out {validation:.0%}'
        self._progress.start_task(self._bar)
        self._progress.update(self._bar, completed=iteration, total=num_iter, figures=figures)

    def finish(self) -> None:
        """Fill the bar, because feedback skips iterations and may not include the last one."""
        self._progress.update(self._bar, completed=self._progress.tasks[self._bar].total)


class ExamBar:
    """The bar of the exam, with the running score."""

    def __init__(self, progress: Progress, planned: int) -> None:
        """Draw on `progress`."""
        self._progress = progress
        self._bar = progress.add_task('exam', total=planned, figures='')

    def update(self, exam: Exam, looking_at: str) -> None:
        """Show the score so far, the frame rate, and what the camera shows now."""
        # Relative to classified frames: the newest frame is never classified yet.
        score = f'{exam.right}/{exam.answered} right'
        figures = f'{score}  {exam.frames_per_second:.1f} frames/s  {looking_at}'
        self._progress.update(self._bar, completed=exam.shown, figures=figures)


class Report:
    """
    Prints the demo's progress and results.

    Args:
        console: where to print; if it is not a terminal, only final states are printed.
    """

    def __init__(self, console: Console | None = None) -> None:
        """Print to standard output by default."""
        self._console = Console(highlight=False) if console is None else console

    def heading(self, text: str) -> None:
        """Print the heading of a step."""
        self._console.print(f'\n[bold]{text}[/bold]')

    def line(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, markup=False)

    @contextlib.contextmanager
    def teaching(self) -> Iterator[TeachingBars]:
        """Show bars of samples while the context lasts."""
        columns = (
            TextColumn('  {task.description:<14}'),
            BarColumn(_BAR_WIDTH),
            TextColumn('{task.completed:.0f} of {task.total:.0f} samples'),
        )
        with Progress(*columns, console=self._console) as progress:
            yield TeachingBars(progress)

    @contextlib.contextmanager
    def training(self) -> Iterator[TrainingBar]:
        """Show the bar of the training while the context lasts."""
        with self._bar_with_figures() as progress:
            yield TrainingBar(progress)

    @contextlib.contextmanager
    def exam(self, planned: int) -> Iterator[ExamBar]:
        """Show the bar of the exam while the context lasts."""
        with self._bar_with_figures() as progress:
            yield ExamBar(progress, planned)

    def samples(self, counts: Mapping[str, int]) -> None:
        """Print the node's number of samples per class."""
        self.line(f'  The node now has {sum(counts.values())} samples of {len(counts)} classes.')

    def score(self, exam: Exam) -> None:
        """Print the exam's result, subject by subject."""
        table = Table('subject', 'right', 'of', box=None, padding=(0, 2))
        for column in table.columns[1:]:
            column.justify = 'right'
        for subject, (right, shown) in sorted(exam.right_per_subject().items()):
            colour = 'green' if right == shown else 'yellow'
            table.add_row(subject, f'[{colour}]{right}', str(shown))
        self._console.print(table)
        # Round down, so that 100.0 % means every single frame.
        percent = math.floor(exam.accuracy * 1000.0) / 10.0
        self._console.print(
            f'  [bold]{exam.right} of {exam.planned} right ({percent:.1f} %)[/bold], '
            f'{exam.answered} answered at {exam.frames_per_second:.1f} frames/s,\n'
            f'  {exam.latency_s * 1000.0:.0f} ms from a frame to its answer (median)'
        )

    def _bar_with_figures(self) -> Progress:
        columns = (
            TextColumn('  {task.description:<9}'),
            BarColumn(_BAR_WIDTH),
            TextColumn('{task.fields[figures]}'),
        )
        return Progress(*columns, console=self._console)
