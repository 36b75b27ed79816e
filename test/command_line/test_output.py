# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
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


def test_of_a_total_that_is_not_known_only_what_is_done_is_counted(terminal: io.StringIO) -> None:
    with progress_bar('teaching', None) as step:
        for _ in range(150):
            step()
    assert '150' in terminal.getvalue()
    assert '/' not in terminal.getvalue()


def test_nothing_to_do_is_no_error(terminal: io.StringIO) -> None:
    with progress_bar('exporting', 0):
        pass
    assert '0/0' in terminal.getvalue()
