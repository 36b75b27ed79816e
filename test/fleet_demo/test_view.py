# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
import io
import re

from edgetpu_retrain.fleet_demo.view import View
from rich.console import Console
from rich.table import Table


def show(*, force_terminal: bool) -> str:
    tables = 0

    def table(width: int) -> Table:
        nonlocal tables
        tables += 1
        assert width == 80
        drawn = Table('robot', 'state')
        drawn.add_row('ada', f'state number {tables}')
        return drawn

    console = Console(file=io.StringIO(), force_terminal=force_terminal, width=80, highlight=False)
    with View(console, table) as view:
        view.heading('A [robot] is taught')
        view.say('ada was taught cat: 12 samples')
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_log_has_plain_lines_and_the_table_once_at_the_end() -> None:
    shown = show(force_terminal=False)
    assert '\x1b' not in shown
    assert 'A [robot] is taught' in shown
    assert re.search(r'^ +\d+\.\d s  ada was taught cat: 12 samples$', shown, re.MULTILINE)
    assert shown.count('state number') == 1
    assert shown.index('12 samples') < shown.index('state number')


def test_on_a_terminal_the_table_stays_below_the_lines() -> None:
    shown = show(force_terminal=True)
    assert shown.count('state number') > 1
    assert shown.rindex('12 samples') < shown.rindex('state number')
