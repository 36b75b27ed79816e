# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Lowers the priority of threads that are less urgent than frames."""

from __future__ import annotations

import contextlib
import os
import sys

_STEPS_BACK = 10
"""The default of the command ``nice``; other threads then get nine times the CPU time."""


def lower_priority() -> None:
    """
    Lower the priority of the calling thread, permanently.

    If two hardware threads share a core or other programs are busy, a frame then takes about as
    long during a training as without one, instead of twice as long; the training hardly takes
    longer.
    """
    # On Linux os.nice() changes the calling thread only, elsewhere the whole process.
    if sys.platform == 'linux':
        # A sandbox may forbid it.
        with contextlib.suppress(OSError):
            os.nice(_STEPS_BACK)
