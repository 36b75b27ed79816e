# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Which freed memory this process keeps for the next image, and which goes back to the system.

glibc gives the memory of a large image back at once, and the system has to clear each page anew
for the next: 11 ms rather than 1.5 ms to receive 1920x1080 pixels.
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
# From here on, blocks come from the system and go back to it.  Models and what they are made with
# are larger, images of up to 1280x720 are smaller.  Where both share one stock, small things that
# last settle in the room of a model, and the next one needs room anew: now and then, for hours.
_MAPPED_FROM = 3 * 2**20
# The largest that glibc takes.
_LARGEST = 32 * 2**20
# The way from the middleware to Python holds an image of Full HD (6 MB) some four times at once.
_KEPT = 64 * 2**20
# Some twenty threads would get up to sixteen stocks of freed memory on two cores, each as large as
# its threads ever needed and of no use to the others: a model that one thread loads and another
# replaces would leave its room behind.  All but the first stock consist of parts of 64 MB, too,
# and where one is full each model is loaded into pages that the system has to clear.
_ARENAS = 1


def keep_freed_memory() -> bool:
    """
    Keep the memory of an image for the next one, in one stock for all threads.

    Call it before rclpy is imported, which starts threads that have stocks of their own otherwise.

    Returns:
        False where the C library has no such settings, or the user has set some.
    """
    return _set({_M_MMAP_THRESHOLD: _MAPPED_FROM, _M_TRIM_THRESHOLD: _KEPT, _M_ARENA_MAX: _ARENAS})


def keep_memory_of_images(size: int) -> None:
    """
    Keep the memory of large images as well, from the first that comes; models share it then.

    Args:
        size: of an image, bytes.
    """
    if size >= _MAPPED_FROM:
        _keep_memory_of_all_images()


@cache
def _keep_memory_of_all_images() -> None:
    _set({_M_MMAP_THRESHOLD: _LARGEST})


def _set(settings: Mapping[int, int]) -> bool:
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is None or any(name.startswith('MALLOC_') for name in os.environ):
        return False
    return all(mallopt(name, value) for name, value in settings.items())
