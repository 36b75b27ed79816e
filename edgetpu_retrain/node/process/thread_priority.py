# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Threads whose work can wait until the frames are done."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

_STEPS_BACK = 10
"""As the command ``nice`` does by itself; Linux then gives other threads nine times the time."""

_NICEST = 19


def lower_priority() -> None:
    """
    Let the calling thread compute when nothing more urgent wants the processor.

    A frame that comes during a training then takes about as long as without one, rather than
    twice as long, where two hardware threads share a core or other programs are busy; the
    training hardly notices.  There is no way back: it is for threads that do nothing else.
    """
    # Elsewhere a thread has no priority of its own, and the whole process would get the lower one.
    if sys.platform != 'linux':
        return
    thread = threading.get_native_id()
    # Where a sandbox forbids it, the work is done all the same.
    with contextlib.suppress(OSError):
        now = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(now + _STEPS_BACK, _NICEST))
