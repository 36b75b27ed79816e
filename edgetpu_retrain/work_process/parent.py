# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Starts a child process for long work, and reads its steps and result."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable
import contextlib
import json
import os
from pathlib import Path
import signal
import sys
from typing import Any

from edgetpu_retrain.errors import RequestError, StoreError

# Maximum length of a line from the child, bytes.  The longest line in practice is the result of
# the page's analysis of the samples: 2 MB for 200,000 samples.
_LONGEST_LINE = 64 * 2**20


async def run_work(
    module: str, *arguments: str, on_step: Callable[[str], object] = lambda _: None
) -> dict[str, Any]:
    """
    Run a module as a child process; the module must call ``work_process.child.do_work``.

    If this coroutine is cancelled, the child process is killed.

    Args:
        module: name of the module.
        arguments: command-line arguments of the module.
        on_step: called at the start of each step with its description.

    Returns:
        The result of the work.

    Raises:
        RequestError: with the message of the child, if the work fails.
        StoreError: if the child cannot be started, or ends without a result.
    """
    async with started(module, *arguments) as child:
        assert child.stdout is not None
        async for line in child.stdout:
            # A child that is killed while it writes leaves an incomplete last line.
            if not line.endswith(b'\n'):
                break
            said = json.loads(line)
            if 'error' in said:
                raise RequestError(said['error'])
            if 'result' in said:
                return dict(said['result'])
            on_step(said['step'])
        raise StoreError(why_ended(await child.wait()))


@contextlib.asynccontextmanager
async def started(module: str, *arguments: str, log: bool = True) -> AsyncIterator[Process]:
    """
    Start a module as a child process; kill it at the end of the ``async with`` block.

    Args:
        module: name of the module.
        arguments: command-line arguments of the module.
        log: whether the child inherits standard error; otherwise the caller reads the child's
            standard error from the yielded process.

    Raises:
        StoreError: if no process can be started.
    """
    # PYTHONPATH of the child: the import paths of this process, except '', the current folder.
    path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path if entry)
    try:
        child = await asyncio.create_subprocess_exec(
            sys.executable, '-m', module, *arguments,
            stdin=DEVNULL, stdout=PIPE, stderr=None if log else PIPE, limit=_LONGEST_LINE,
            # Ctrl-C reaches only this process, which kills the child.
            start_new_session=True,
            # With several BLAS threads, the child would slow the retrain node down.
            env={**os.environ, 'PYTHONPATH': path, 'OMP_NUM_THREADS': '1',
                 'OPENBLAS_NUM_THREADS': '1'},
        )  # fmt: skip
    except OSError as error:
        raise StoreError(
            f'No process could be started ({error}): free memory and processes, then try again.'
        ) from error
    try:
        yield child
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()


def why_ended(code: int) -> str:
    """Return the error message for a child that ended without a result, from its return code."""
    if code < 0:
        name = signal.Signals(-code).name
        return (
            f'The process that did this was ended by {name}; SIGKILL often means that there is '
            'too little memory. End other programs, then try again.'
        )
    return f'The process that did this ended with code {code}: see the log of its parent.'
