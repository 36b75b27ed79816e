# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
How this process shares interpreter, cores and memory, so that no frame waits for them.

The defaults are made for programs that do neither many small things in several threads nor
allocate many megabytes again and again.
"""

from __future__ import annotations

import sys

import cv2
from edgetpu_retrain.learning.sgd.blas_threads import one_blas_thread
from edgetpu_retrain.node.process.kept_memory import keep_freed_memory

SWITCH_INTERVAL_S = 0.0001
"""
How long a thread may keep the interpreter while another waits for it.

A frame passes through the interpreter some ten times, and waits each time for a training or the
executor to hand it over: Python's 5 ms would come to tens of milliseconds.
"""


def tune_process() -> None:
    """Set all of it for this process; call it before rclpy is imported, which starts threads."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    one_blas_thread()
    # A second thread saves 0.1 ms of a frame's resizing and costs 1 ms of processor time; on two
    # cores the model waits for it.
    cv2.setNumThreads(1)
    keep_freed_memory()
