# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A child process and its output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import os
import signal
import subprocess
import threading
import time
from typing import TypeVar

from support.waiting import Collected, PATIENCE_S

# A process that is killed while it writes into the shared memory of another one leaves it locked.
# Fast DDS replaces that memory within 1 s.  A participant that is destroyed before then ends its
# process with a segmentation fault, in SharedMemManager::Listener::close(): 3 of 40 that were
# destroyed within 0.5 s did so, none of 60 after 1 to 3 s.  A crash would end all tests.
_FAST_DDS_RECOVERY_S = 3.0
_KILLED = (-signal.SIGKILL, -signal.SIGABRT)

Program = TypeVar('Program', bound='RunningProgram')


class RunningProgram:
    """
    A child process with a record of its output; the end of the context stops it with SIGINT.

    Args:
        command: the program and its arguments.
        environment: changes to the environment of this process.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._name = ' '.join(command)
        self.process = subprocess.Popen(
            command,
            env={**os.environ, 'PYTHONFAULTHANDLER': '1', **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors='replace',
        )
        self.log: Collected[str] = Collected()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self: Program) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def wait_until_ready(self: Program) -> Program:
        """Wait until the node logs that it is ready; the error has the log instead."""
        self.wait_for_log('ready')
        return self

    def wait_for_log(self, words: str, *, since: int = 0) -> str:
        """Return the first line of the log, from number ``since`` on, that contains the words."""
        return self.log.wait_for(lambda line: words in line, since=since)

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal, unless the process has ended already, and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait until the process ends, and return the exit code."""
        try:
            exit_code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired as error:
            # faulthandler then prints the tracebacks of all threads.
            self.process.send_signal(signal.SIGABRT)
            self._reader.join(PATIENCE_S)
            self.process.kill()
            raise TimeoutError('the process does not end:\n' + '\n'.join(self.log)) from error
        self._reader.join(PATIENCE_S)
        if self.process.stdout is not None:
            self.process.stdout.close()
        # pytest shows this where a test fails.
        print(f'-- {self._name}:', *self.log, sep='\n')
        if exit_code in _KILLED:
            time.sleep(_FAST_DDS_RECOVERY_S)
        return exit_code

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.log.append(line.rstrip())
        self.log.end()
