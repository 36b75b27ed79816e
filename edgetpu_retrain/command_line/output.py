# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Output of commands: results to standard output, everything else to standard error.

Names of files, classes and cameras are untrusted, so unprintable characters in all lines are
escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
import json
import math
from typing import Any

import click
from edgetpu_retrain.wording import one_line, presentable, sentence
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

AS_JSON = 'edgetpu_retrain.as_json'
"""Key in the click context's ``meta``; the value is whether to print JSON."""


def emit(result: Any, *lines: object) -> None:
    """Print ``result`` as one line of JSON if the user gave ``--json``, otherwise ``lines``."""
    if click.get_current_context().meta[AS_JSON]:
        lines = (json_line(result),)
    for line in lines:
        click.echo(one_line(line))


def json_line(result: Any) -> str:
    """Return a result as one line of JSON; NaN and infinite numbers become null."""
    return json.dumps(json.loads(json.dumps(result), parse_constant=lambda _: None))


NOT_READABLE = 'not readable'
"""The reason that the summary of a command states for pictures that could not be read."""


def warn(text: object) -> None:
    """Print a warning to standard error."""
    say(f'warning: {text}')


def say(text: object) -> None:
    """Print a sentence that is not a result, such as a summary, to standard error."""
    click.echo(presentable(sentence(text)), err=True)


def warn_unreadable(unreadable: Iterable[tuple[str, str]]) -> None:
    """Print a warning for each skipped picture; a pair is the picture's name and the reason."""
    for name, reason in unreadable:
        warn(f'{name} is skipped: {reason}')


def percent(share: float | None) -> str:
    """
    Return a share (0 to 1) as a percentage; '-' for None and NaN.

    >>> percent(0.955), percent(None)
    ('95.5 %', '-')
    """
    return '-' if share is None or math.isnan(share) else f'{100 * share:.1f} %'


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    r"""
    Return the lines of a text table whose columns are left-justified.

    >>> print(*table(('class', 'samples'), [('cup', 3), ('bottle', 12)]), sep='\n')
    class   samples
    cup     3
    bottle  12
    """
    cells = [list(map(presentable, row)) for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        '  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


@contextmanager
def progress_bar(what: str, total: int | None) -> Iterator[Callable[[], None]]:
    """
    Show a progress bar if standard error is a terminal.

    Args:
        what: description of the work.
        total: number of steps; None = unknown.

    Yields:
        A function to call after each step.
    """
    console = Console(stderr=True)
    columns = [TextColumn('{task.description}'), BarColumn(), TextColumn('{task.completed:.0f}')]
    if total is not None:
        columns[2:] = [TextColumn('{task.completed:.0f}/{task.total:.0f}'), TimeRemainingColumn()]
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        # rich 11 does not support total=None.  A task that is not started has an animated bar.
        task = progress.add_task(what, total=total or 0, start=total is not None)
        yield lambda: progress.advance(task)
