# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Kept and returned memory, in separate processes."""

from __future__ import annotations

import platform

import pytest
from support.tuned_process import run

# Allocates three images at a time, and prints how many pages the system had to clear.
IMAGES = """
import resource
from edgetpu_retrain.node.process.kept_memory import keep_freed_memory, keep_memory_of_images

{first}
def pages():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def receive():
    return [b'x' * {size} for _ in range(3)]

receive()
before = pages()
for _ in range(10):
    receive()
print((pages() - before) / 10)
"""
# Lets eight threads and those of rclpy allocate, and prints what the C library has set up for it.
THREADS = """
import ctypes
import threading
from edgetpu_retrain.node.process.kept_memory import keep_freed_memory

{first}
import rclpy
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
all_at_once = threading.Barrier(8)

def allocate():
    all_at_once.wait()
    libc.malloc(100_000)
    all_at_once.wait()

threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, 'stdout'))
libc.fflush(None)
"""
HD = 1280 * 720 * 3
FULL_HD = 1920 * 1080 * 3
# Of the default extractor.
MODEL = 3_968_072

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='has no mallopt')


def share_cleared(package_path: str, size: int, first: str, **variables: str) -> float:
    """Return how many of the pages of three blocks the system has to clear, 1 = all."""
    cleared = float(run(IMAGES.format(first=first, size=size), package_path, **variables))
    return cleared / (3 * size / 4096)


def test_the_memory_of_an_image_is_kept_for_the_next(package_path: str) -> None:
    assert share_cleared(package_path, HD, 'keep_freed_memory()') < 1 / 20


def test_the_memory_of_a_model_is_returned(package_path: str) -> None:
    assert share_cleared(package_path, MODEL, 'keep_freed_memory()') > 1 / 2


@pytest.mark.parametrize('seen', [FULL_HD, HD])
def test_the_memory_of_large_images_is_kept_after_the_first(package_path: str, seen: int) -> None:
    first = f'keep_freed_memory(); keep_memory_of_images({seen})'
    kept = share_cleared(package_path, FULL_HD, first) < 1 / 20
    assert kept == (seen == FULL_HD)


def test_by_default_the_memory_of_an_image_is_returned(package_path: str) -> None:
    assert share_cleared(package_path, FULL_HD, '') > 1 / 2


def test_threads_share_one_arena(package_path: str) -> None:
    output = run(THREADS.format(first='keep_freed_memory()'), package_path)
    assert output.count('<heap nr=') == 1
    assert run(THREADS.format(first=''), package_path).count('<heap nr=') > 2


def test_settings_of_the_user_are_kept(package_path: str) -> None:
    # With this threshold memory comes from the system, as without tuning.
    first = f'keep_freed_memory(); keep_memory_of_images({FULL_HD})'
    own = {'MALLOC_MMAP_THRESHOLD_': '1048576'}
    assert share_cleared(package_path, FULL_HD, first, **own) > 1 / 2
