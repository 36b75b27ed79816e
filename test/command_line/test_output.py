# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io

from edgetpu_retrain.command_line import output
from edgetpu_retrain.command_line.output import progress_bar
import pytest
from rich.console import Console


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Return what a person at a terminal of 60 columns sees."""
    screen = io.StringIO()
    monkeypatch.setattr(
        output,
        'Console',
        lambda stderr: Console(file=screen, stderr=stderr, force_terminal=True, width=60),
    )
    return screen


def test_a_bar_counts_up_to_the_total(terminal: io.StringIO) -> None:
    with progress_bar('teaching', 3) as step:
        for _ in range(3):
            step()
    assert 'teaching' in terminal.getvalue()
    assert '3/3' in terminal.getvalue()


def test_without_a_known_total_only_the_completed_steps_are_shown(terminal: io.StringIO) -> None:
    with progress_bar('teaching', None) as step:
        for _ in range(150):
            step()
    assert '150' in terminal.getvalue()
    assert '/' not in terminal.getvalue()


def test_a_total_of_0_is_no_error(terminal: io.StringIO) -> None:
    with progress_bar('exporting', 0):
        pass
    assert '0/0' in terminal.getvalue()
