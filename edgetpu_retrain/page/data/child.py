# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs jobs and commands in child processes of the page's server, and returns their results."""

from __future__ import annotations

from collections.abc import Callable
import json
from typing import Any

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.exit_codes import CALL_WAS_WRONG
from edgetpu_retrain.work_process import parent

_MODULE = 'edgetpu_retrain.page.data.work'


async def run_work(
    *arguments: str, on_step: Callable[[str], object] = lambda _: None
) -> dict[str, Any]:
    """
    Run a job of :mod:`~edgetpu_retrain.page.data.work` in a child process; return its result.

    If the call is cancelled, the process is killed.

    Args:
        arguments: the data folder, the name of the job, and the arguments of the job.
        on_step: called at the start of each step with its description.

    Raises:
        RequestError, StoreError: as :func:`edgetpu_retrain.work_process.parent.run_work`.
    """
    return await parent.run_work(_MODULE, *arguments, on_step=on_step)


async def run_command_line(*arguments: str) -> dict[str, Any]:
    """
    Run a command ``samples ...`` of the command line with ``--json``, and return its result.

    Args:
        arguments: the command-line arguments, beginning with 'samples'.

    Raises:
        RequestError: if the command rejected its arguments or input.
        StoreError: if the command failed for another reason, or could not be started.
    """
    async with parent.started(_MODULE, *arguments, '--json', log=False) as child:
        output, errors = await child.communicate()
        if not child.returncode:
            return dict(json.loads(output))
        lines = errors.decode(errors='replace').strip().splitlines() or ['']
        words = lines[-1].removeprefix('error: ')
        if child.returncode == CALL_WAS_WRONG:
            raise RequestError(words)
        raise StoreError(words or parent.why_ended(child.returncode or 0))
