# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Requests to a child process and its replies, one JSON object per line.

Other output of the child goes to its standard error.
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
    A child process that replies to requests; the end of the context closes its input.

    Args:
        command: the program and its arguments.
        environment: environment of the child.
        log: file for its standard error.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._log, self._program = log, ' '.join(command)
        with log.open('wb') as errors:
            self._process = subprocess.Popen(  # noqa: S603 - programs of the benchmarks
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

    def request(self, **fields: Any) -> Any:
        """
        Send a request and wait for the reply.

        Raises:
            RuntimeError: the child ended instead; with the end of its log.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(fields) + '\n')
            self._process.stdin.flush()
        reply = self._process.stdout.readline()
        if not reply:
            tail = self._log.read_text(errors='replace')[-2000:]
            raise RuntimeError(f'{self._program} ended:\n{tail}')
        return json.loads(reply)


def requests() -> Iterator[dict[str, Any]]:
    """Yield the parent's requests until it closes the input."""
    _replies()
    for line in sys.stdin:
        yield json.loads(line)


def reply(content: Any) -> None:
    """Reply to the latest request."""
    print(json.dumps(content), file=_replies(), flush=True)


@cache
def _replies() -> TextIO:
    """Return the pipe to the parent; from now on other output goes to the log."""
    replies = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)
    return replies
