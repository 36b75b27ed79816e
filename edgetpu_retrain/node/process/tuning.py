# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Tunes this process for large images and for many short tasks in several threads."""

from __future__ import annotations

import sys

import cv2
from edgetpu_retrain.learning.sgd.blas_threads import one_blas_thread
from edgetpu_retrain.node.process.kept_memory import keep_freed_memory

SWITCH_INTERVAL_S = 0.0001
"""
Time after which a thread releases the GIL if another thread waits for it, seconds.

A thread that processes a frame acquires the GIL about ten times.  While another thread creates a
model, the waits take 3 ms in total, instead of 40 ms with Python's default interval of 5 ms.
"""


def tune_process() -> None:
    """Tune this process; call it before importing rclpy, which starts threads when imported."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    one_blas_thread()
    # A second OpenCV thread would resize a frame 0.1 ms faster, but take 1 ms of CPU time.
    cv2.setNumThreads(1)
    keep_freed_memory()
