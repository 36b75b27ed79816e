# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Runs the work of a child process, and reports to its parent on standard output.

The child writes lines of JSON: ``{"step": ...}``, and finally ``{"result": ...}`` or
``{"error": ...}``.
"""

from __future__ import annotations

from collections.abc import Callable
import contextlib
import ctypes
import json
import os
import signal
from typing import Any

from edgetpu_retrain.errors import in_words, RetrainError

# On a core that another program keeps busy, the child gets about a tenth of the CPU time.
_NICENESS = 10
# From linux/prctl.h.
_PR_SET_PDEATHSIG = 1


def lower_priority() -> None:
    """Lower the priority of this process; on Linux, also have it killed when its parent ends."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.nice(_NICENESS)


def do_work(work: Callable[[Callable[[str], None]], Any]) -> None:
    """
    Do the work of a child process, and write its steps and its result or error for the parent.

    A RetrainError or MemoryError is written as the error.  Other exceptions propagate.

    Args:
        work: called with a function that reports a step; returns the result, a dict of values
            that JSON can represent.
    """
    # Libraries may print to standard output.  Redirect standard output to standard error, and
    # write the lines for the parent to a duplicate of the original standard output.
    output = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)

    def write(**line: Any) -> None:
        print(json.dumps(line), file=output, flush=True)

    try:
        write(result=work(lambda step: write(step=step)))
    except (RetrainError, MemoryError) as error:
        write(error=in_words(error))
