# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Lowers the priority of threads that are less urgent than frames."""

from __future__ import annotations

import contextlib
import os
import sys

_STEPS_BACK = 10
"""The default of the command ``nice``; threads of normal priority get nine times the CPU time."""


def lower_priority() -> None:
    """
    Lower the priority of the calling thread, permanently.

    If hardware threads share a core or other programs are busy, a training at normal priority
    doubles the time that a frame takes.  At low priority, the training hardly takes longer.
    """
    # os.nice() changes only the calling thread on Linux, and the whole process elsewhere.
    if sys.platform == 'linux':
        # A sandbox may forbid the call.
        with contextlib.suppress(OSError):
            os.nice(_STEPS_BACK)
