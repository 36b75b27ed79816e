# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Starts the page's child processes, and ends them with the page."""

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
    Run a piece of :mod:`~edgetpu_retrain.page.data.work`; if cancelled, kill its process.

    Args:
        arguments: data folder, name of the work and its own arguments.
        on_step: called at the start of each step with its description.

    Raises:
        RequestError, StoreError: as :func:`edgetpu_retrain.work_process.parent.run_work`.
    """
    return await parent.run_work(_MODULE, *arguments, on_step=on_step)


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
    async with parent.started(_MODULE, *arguments, '--json', log=False) as child:
        output, errors = await child.communicate()
        if not child.returncode:
            return dict(json.loads(output))
        lines = errors.decode(errors='replace').strip().splitlines() or ['']
        words = lines[-1].removeprefix('error: ')
        if child.returncode == CALL_WAS_WRONG:
            raise RequestError(words)
        raise StoreError(words or parent.why_ended(child.returncode or 0))
