# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
What the page's child processes run: long work on the data folder, at low priority.

``python3 -m edgetpu_retrain.page.data.work FOLDER analysis`` and ``... FOLDER compare A B`` write
lines of JSON: ``{"step": ...}``, and finally ``{"result": ...}`` or
``{"error": ...}``.  ``... samples ...`` runs the command line with these arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
import contextlib
import ctypes
import json
import os
from pathlib import Path
import signal
import sys
from typing import Any

from edgetpu_retrain.errors import in_words, RetrainError

# On a core that the node or the page keeps busy, this process gets about a tenth of the time.
_NICENESS = 10
# From linux/prctl.h.
_PR_SET_PDEATHSIG = 1


def main(arguments: Sequence[str]) -> None:
    """Run one piece of work."""
    with contextlib.suppress(AttributeError):
        # If the page is killed, Linux kills this process, too.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.nice(_NICENESS)
    if arguments[0] == 'samples':
        from edgetpu_retrain.command_line.main import main as command_line

        sys.exit(command_line(arguments))
    # Libraries may print to standard output: redirect it, and keep a duplicate for the lines.
    output = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)

    def write(**line: Any) -> None:
        print(json.dumps(line), file=output, flush=True)

    try:
        write(result=_run(arguments, lambda step: write(step=step)))
    except (RetrainError, MemoryError) as error:
        write(error=in_words(error))


def _run(arguments: Sequence[str], on_step: Any) -> Any:
    folder, job, *rest = arguments
    if job == 'analysis':
        from edgetpu_retrain.page.data.analysis import analyse_folder

        return analyse_folder(Path(folder), on_step)
    from edgetpu_retrain.page.data.comparison import compare

    return compare(Path(folder), *map(int, rest))


if __name__ == '__main__':
    main(sys.argv[1:])
