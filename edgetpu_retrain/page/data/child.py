# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Starts the page's child processes, and ends them with the page."""

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
from edgetpu_retrain.exit_codes import CALL_WAS_WRONG

_MODULE = 'edgetpu_retrain.page.data.work'
# Bytes.  The longest line is the result of an analysis: 2 MB for 200,000 samples.
_LONGEST_LINE = 64 * 2**20


async def run_work(
    *arguments: str, on_step: Callable[[str], object] = lambda _: None
) -> dict[str, Any]:
    """
    Run a piece of :mod:`~edgetpu_retrain.page.data.work`; if cancelled, kill its process.

    Args:
        arguments: data folder, name of the work and its own arguments.
        on_step: called at the start of each step with its description.

    Raises:
        RequestError: with the message of the child if the work fails.
        StoreError: if the child cannot be started, or ends without a result.
    """
    async with _started(*arguments) as child:
        assert child.stdout is not None
        async for line in child.stdout:
            said = json.loads(line)
            if 'error' in said:
                raise RequestError(said['error'])
            if 'result' in said:
                return dict(said['result'])
            on_step(said['step'])
        raise StoreError(_ended(await child.wait(), ''))


async def run_command_line(*arguments: str) -> dict[str, Any]:
    """
    Run a command of the command line with ``--json``, and return its result.

    Args:
        arguments: the arguments of ``python3 -m edgetpu_retrain``.

    Raises:
        RequestError: with the command's message if the request was invalid.
        StoreError: with the command's message if it failed for another reason, or with the reason
            why it could not be started or gave no message.
    """
    async with _started(*arguments, '--json', stderr=PIPE) as child:
        output, errors = await child.communicate()
        if not child.returncode:
            return dict(json.loads(output))
        lines = errors.decode(errors='replace').strip().splitlines() or ['']
        words = lines[-1].removeprefix('error: ')
        if child.returncode == CALL_WAS_WRONG:
            raise RequestError(words)
        raise StoreError(_ended(child.returncode or 0, words))


@contextlib.asynccontextmanager
async def _started(*arguments: str, stderr: int | None = None) -> AsyncIterator[Process]:
    # The child imports from the same paths as this process, except '', the current folder.
    path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path if entry)
    try:
        child = await asyncio.create_subprocess_exec(
            sys.executable, '-m', _MODULE, *arguments,
            stdin=DEVNULL, stdout=PIPE, stderr=stderr, limit=_LONGEST_LINE,
            # With several threads, the child would slow the node down.
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


def _ended(code: int, words: str) -> str:
    if words:
        return words
    if code < 0:
        name = signal.Signals(-code).name
        return (
            f'The process that did this was ended by {name}; SIGKILL often means that there is '
            'too little memory. End other programs, then try again.'
        )
    return f'The process that did this ended with code {code}: see the log of the page.'
