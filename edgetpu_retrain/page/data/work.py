# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The jobs of the page's child processes: long work on the data folder, at low priority.

``python3 -m edgetpu_retrain.page.data.work FOLDER analysis`` and ``... FOLDER compare A B`` write
the lines that :func:`edgetpu_retrain.work_process.parent.run_work` reads.  ``... samples ...``
runs the command line with the arguments ``samples ...``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
import sys
from typing import Any

from edgetpu_retrain.work_process.child import do_work, lower_priority


def main(arguments: Sequence[str]) -> None:
    """Run one job at low priority; for ``samples``, exit with the code of the command line."""
    lower_priority()
    if arguments[0] == 'samples':
        from edgetpu_retrain.command_line.main import main as command_line

        sys.exit(command_line(arguments))
    do_work(lambda on_step: _run(arguments, on_step))


def _run(arguments: Sequence[str], on_step: Any) -> Any:
    folder, job, *rest = arguments
    if job == 'analysis':
        from edgetpu_retrain.page.data.analysis import analyse_folder

        return analyse_folder(Path(folder), on_step)
    from edgetpu_retrain.page.data.comparison import compare

    return compare(Path(folder), *map(int, rest))


if __name__ == '__main__':
    main(sys.argv[1:])
