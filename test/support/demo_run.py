# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A demonstration as a user starts it, with all its processes."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid

from support.marked_processes import marked_processes


class DemoRun:
    """
    One run of a demonstration, with a mark in the environment that its processes inherit.

    Args:
        module: the module to run.
        options: its options.
        patience_s: time limit of :meth:`finish`, seconds.
    """

    def __init__(self, module: str, *options: str, patience_s: float) -> None:
        self._mark = f'DEMO_TEST={uuid.uuid4()}'
        self._patience_s = patience_s
        name, value = self._mark.split('=')
        self.process = subprocess.Popen(
            (sys.executable, '-m', module, *options),
            env={**os.environ, name: value},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self) -> tuple[str, str]:
        """Wait for the end and return standard output and standard error."""
        return self.process.communicate(timeout=self._patience_s)

    def wait_for_line(self, words: str) -> None:
        """Read standard output up to a line with these words."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if words in line:
                return
        raise AssertionError(f'{words!r} did not come: {self.finish()}')

    def still_running(self) -> list[str]:
        """Return the command lines of what this run has left behind."""
        return [*marked_processes(self._mark).values()]
