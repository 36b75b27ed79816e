# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Lowers the priority of threads that are less urgent than frames."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

_STEPS_BACK = 10
"""The default of the command ``nice``; other threads then get nine times the CPU time."""

_NICEST = 19


def lower_priority() -> None:
    """
    Lower the priority of the calling thread, permanently.

    If two hardware threads share a core or other programs are busy, a frame then takes about as
    long during a training as without one, instead of twice as long; the training takes hardly
    longer.
    """
    # Elsewhere the priority is that of the whole process.
    if sys.platform != 'linux':
        return
    thread = threading.get_native_id()
    # A sandbox may forbid it.
    with contextlib.suppress(OSError):
        now = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(now + _STEPS_BACK, _NICEST))
