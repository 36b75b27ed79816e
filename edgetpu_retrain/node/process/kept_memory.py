# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Configures glibc to keep freed memory for the next image.

By default, glibc returns the memory of a large image to the system, which must clear each page
again for the next image: receiving an image of 1920x1080 then takes 11 ms instead of 1.5 ms.
"""

from __future__ import annotations

from collections.abc import Mapping
import ctypes
from functools import cache
import os

# Parameters of mallopt(3), from glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
# Blocks of at least this size, bytes, are mapped from the system, and returned to it when freed.
# Models are larger; images of up to 1280x720 are smaller.  If models were in the heap, small
# long-lived objects would occupy the space of a released model, and the next model would need new
# space.
_MAPPED_FROM = 3 * 2**20
# The largest threshold that glibc accepts on 64-bit systems, bytes.
_LARGEST = 32 * 2**20
# Free memory to keep, bytes.  An image of 1920x1080 frees less: the middleware and Python have
# about four copies of it, 25 MB.
_KEPT = 64 * 2**20
# Number of arenas.  By default, glibc uses up to sixteen arenas on two cores, and each arena keeps
# as much memory as its threads have needed at their peak.
_ARENAS = 1


def keep_freed_memory() -> None:
    """
    Keep the freed memory of images of up to 1280x720, in one arena for all threads.

    Call this function before importing rclpy, whose threads would otherwise get separate
    arenas.  The function has no effect without glibc, or if an environment variable ``MALLOC_*``
    is set.
    """
    _set({_M_MMAP_THRESHOLD: _MAPPED_FROM, _M_TRIM_THRESHOLD: _KEPT, _M_ARENA_MAX: _ARENAS})


def keep_memory_of_images(size: int) -> None:
    """
    Also keep the freed memory of larger images, from the first call with a larger image on.

    Models are then also allocated in this memory.

    Args:
        size: size of an image, bytes.
    """
    if size >= _MAPPED_FROM:
        _keep_memory_of_all_images()


@cache
def _keep_memory_of_all_images() -> None:
    _set({_M_MMAP_THRESHOLD: _LARGEST})


def _set(settings: Mapping[int, int]) -> None:
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is None or any(name.startswith('MALLOC_') for name in os.environ):
        return
    for name, value in settings.items():
        mallopt(name, value)
