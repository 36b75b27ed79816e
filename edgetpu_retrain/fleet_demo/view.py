# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""View: prints the steps line by line, above a table of the fleet's status."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
import time

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

_REFRESHES_PER_S = 2


class View(contextlib.AbstractContextManager['View']):
    """
    Prints lines, and on a terminal a table below them that is redrawn periodically.

    In a file or a pipe, the table is printed once, at the end.

    Args:
        console: where to print.
        table: function that returns the newest table for a width in characters, without blocking.
    """

    def __init__(self, console: Console, table: Callable[[int], RenderableType]) -> None:
        self._console = console
        self._table = table
        self._start = time.monotonic()
        self._live = (
            Live(
                console=console,
                get_renderable=lambda: table(console.width),
                refresh_per_second=_REFRESHES_PER_S,
            )
            if console.is_terminal
            else None
        )

    def __enter__(self) -> View:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
        else:
            self._console.print(self._table(self._console.width))

    @property
    def seconds(self) -> float:
        """Seconds since this object was created."""
        return time.monotonic() - self._start

    def heading(self, text: str) -> None:
        """Print the heading of a step."""
        self._console.print(Text(f'\n{text}', 'bold'))

    def say(self, text: str) -> None:
        """Print a line with the seconds since the start."""
        self._console.print(Text(f'{self.seconds:6.1f} s  {text}'))
