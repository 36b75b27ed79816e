# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Processes: starts child processes, detects when one exits, and stops all of them at the end.

Each child runs in a separate session, so Ctrl-C reaches only the parent.  The parent then stops
the children one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import contextlib
from dataclasses import dataclass
import os
from pathlib import Path
import signal
import subprocess
import threading
import time

SECONDS_TO_END = 8.0
"""How long a child may take to exit after SIGINT before it receives SIGTERM, seconds."""

_SECONDS_TO_TERMINATE = 2.0
_POLL_PERIOD_S = 0.05


@dataclass(frozen=True)
class Child:
    """
    A child process.

    Args:
        name: name of the child for users.
        process: the process.
        log: file with the child's standard error, and with its standard output unless
            :meth:`Processes.start` was called with ``show_output``.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def exit_code(self) -> int | None:
        """Exit code of the child: -N if signal N ended it; None while the child runs."""
        return self.process.poll()

    def last_log_lines(self, count: int = 15) -> str:
        """Return the last lines of the log, at most ``count``."""
        lines = self.log.read_text(errors='replace').splitlines()
        return '\n'.join(lines[-count:])


class Processes(contextlib.AbstractContextManager['Processes']):
    """
    A context manager that starts child processes, and stops all of them at exit.

    >>> import sys, tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Processes(Path(folder)) as processes:
    ...     child = processes.start('three', [sys.executable, '-c', 'raise SystemExit(3)'])
    ...     processes.wait_for_one(10.0).exit_code
    3
    """

    def __init__(self, log_folder: Path) -> None:
        """Use the existing folder ``log_folder`` for the log files of the children."""
        self.children: list[Child] = []
        self._log_folder = log_folder

    def __exit__(self, *_: object) -> None:
        self.end_all()

    def start(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        show_output: bool = False,
    ) -> Child:
        """
        Start a child.

        Args:
            name: name of the child for users, and stem of its log file.
            command: the program and its arguments.
            environment: environment variables of the child; None = those of this process.
            show_output: whether the child inherits standard output instead of writing it to the
                log.
        """
        log = self._log_folder / f'{name}.log'
        with log.open('wb') as log_file:
            process = subprocess.Popen(  # noqa: S603 - programs of this package; no shell
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=None if show_output else log_file,
                stderr=log_file,
                start_new_session=True,
            )
        child = Child(name, process, log)
        self.children.append(child)
        return child

    def wait_for_one(self, timeout_s: float) -> Child | None:
        """Wait until any child has exited, and return that child; None on timeout."""
        deadline = time.monotonic() + timeout_s
        while True:
            for child in self.children:
                if child.exit_code is not None:
                    return child
            if time.monotonic() >= deadline:
                return None
            time.sleep(_POLL_PERIOD_S)

    def end_all(self) -> None:
        """
        Stop the children, the last started first.

        A child that does not exit after SIGINT receives SIGTERM, and finally SIGKILL.

        If called in the main thread, this process meanwhile ignores SIGINT, SIGTERM and SIGHUP,
        because its exit would leave children running.
        """
        before = {}
        if threading.current_thread() is threading.main_thread():
            numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
            before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
        try:
            for child in reversed(self.children):
                _end(child)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _end(child: Child) -> None:
    for number, seconds in (
        (signal.SIGINT, SECONDS_TO_END),
        (signal.SIGTERM, _SECONDS_TO_TERMINATE),
        (signal.SIGKILL, None),
    ):
        if child.exit_code is None:
            # The child leads its own session, so its process id is also its group id.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(seconds)
            return
