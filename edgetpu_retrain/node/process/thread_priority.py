# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""Threads whose work can wait until the frames are done."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

_STEPS_BACK = 10
"""As the command ``nice`` does by itself; Linux then gives other threads nine times the time."""

_NICEST = 19


def stand_back() -> None:
    """
    Let the calling thread compute when nothing more urgent wants the processor.

    A frame that comes during a training then takes about as long as without one, rather than
    twice as long, where two hardware threads share a core or other programs are busy; the
    training hardly notices.  There is no way back: it is for threads that do nothing else.
    """
    # Elsewhere a thread has no priority of its own, and the whole process would stand back.
    if sys.platform != 'linux':
        return
    thread = threading.get_native_id()
    # Where a sandbox forbids it, the work is done all the same.
    with contextlib.suppress(OSError):
        now = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(now + _STEPS_BACK, _NICEST))
