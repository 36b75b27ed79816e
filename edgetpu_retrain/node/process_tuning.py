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
"""
How this process shares interpreter and cores and keeps memory, so that no frame waits for them.

The defaults are made for programs that do neither many small things in several threads nor
allocate many megabytes again and again.
"""

from __future__ import annotations

import ctypes
import os
import sys

import cv2
from edgetpu_retrain.learning.blas_threads import keep_to_one_blas_thread

SWITCH_INTERVAL_S = 0.0001
"""
How long a thread may keep the interpreter while another waits for it.

A frame passes through the interpreter some ten times, and waits each time for a training or the
executor to hand it over: Python's 5 ms would come to tens of milliseconds.
"""

# Parameters of mallopt(3), from glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
# From the largest that glibc takes on, blocks come from the system and go back to it.
_MAPPED_FROM = 32 * 2**20
# The way from the middleware to Python holds an image of Full HD (6 MB) some four times at once.
_KEPT = 64 * 2**20
# Some twenty threads would get up to sixteen stocks of freed memory on two cores, each as large as
# its threads ever needed and of no use to the others: a model that one thread loads and another
# replaces would leave its room behind.
_ARENAS = 2


def tune_process() -> None:
    """Set all of it for this process; call it before there are other threads."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    keep_to_one_blas_thread()
    # A second thread saves 0.1 ms of a frame's resizing and costs 1 ms of processor time; on two
    # cores the model waits for it.
    cv2.setNumThreads(1)
    if not any(name.startswith('MALLOC_') for name in os.environ):
        keep_freed_memory()


def keep_freed_memory() -> bool:
    """
    Keep the memory of an image for the next one, instead of giving it back to the system.

    What is kept is shared by all threads, so that it does not grow with models and trainings.
    glibc gives it back after every large image, and the system then has to clear each page anew:
    11 ms rather than 1.5 ms to receive 1920x1080 pixels.

    Returns:
        False where the C library has no such settings.
    """
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is None:
        return False
    settings = {
        _M_MMAP_THRESHOLD: _MAPPED_FROM,
        _M_TRIM_THRESHOLD: _KEPT,
        _M_ARENA_MAX: _ARENAS,
    }
    return all(mallopt(name, value) for name, value in settings.items())
