# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
A conversation with a child process: one JSON object a line, a reply to each request.

Whatever else the child says goes to its standard error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
import contextlib
from functools import cache
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any, TextIO

_SECONDS_TO_END = 10.0


class Child:
    """
    A child process that answers requests; as a context it is ended by the end of its input.

    Args:
        command: the program and its arguments.
        environment: of the child.
        log: file for its standard error.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._log, self._program = log, ' '.join(command)
        with log.open('wb') as errors:
            self._process = subprocess.Popen(  # noqa: S603 - this benchmark's programs
                command,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(BrokenPipeError, subprocess.TimeoutExpired):
            self._process.communicate(timeout=_SECONDS_TO_END)
        self._process.kill()
        self._process.wait()

    def ask(self, **request: Any) -> Any:
        """
        Send a request and wait for the reply to it.

        Raises:
            RuntimeError: when the child ended instead, with the end of its log.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(request) + '\n')
            self._process.stdin.flush()
        reply = self._process.stdout.readline()
        if not reply:
            words = self._log.read_text(errors='replace')[-2000:]
            raise RuntimeError(f'{self._program} ended:\n{words}')
        return json.loads(reply)


def requests() -> Iterator[dict[str, Any]]:
    """Yield the parent's requests, until it has no more."""
    _replies()
    for line in sys.stdin:
        yield json.loads(line)


def reply(answer: Any) -> None:
    """Answer the latest request."""
    print(json.dumps(answer), file=_replies(), flush=True)


@cache
def _replies() -> TextIO:
    """Return what the parent reads; whatever else is printed goes to the log from now on."""
    replies = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)
    return replies
