# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The imports of a program, which take a second: what a signal or a missing library does meanwhile.

The module ``main`` of a program imports this module, which imports little, and then, within
:func:`importing`, all the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
import os
import signal
import sys

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def importing(exit_code: int = 0, signals: Sequence[signal.Signals] = _SIGNALS) -> Iterator[None]:
    """
    End the process without a traceback if a signal arrives, or if ROS or a library is missing.

    During the imports, nothing is open that has to be closed, so a signal ends the process at
    once.  An exception would not always end it: Python only prints an exception that is raised in
    a callback of the import system, and goes on.  An ignored signal stays ignored, such as SIGINT
    in a background job of a script.

    Args:
        exit_code: the exit code of the program after one of the signals.
        signals: the signals that the program handles.

    Raises:
        SystemExit: if ROS or a library is missing, after the error is printed.
    """

    def end(*_: object) -> None:
        os._exit(exit_code)

    handled = [number for number in signals if signal.getsignal(number) != signal.SIG_IGN]
    former = {number: signal.signal(number, end) for number in handled}
    from edgetpu_retrain.errors import LibraryMissingError, RosMissingError

    try:
        yield
    except (LibraryMissingError, RosMissingError) as error:
        print(f'error: {error}', file=sys.stderr)
        raise SystemExit(1) from None
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
