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
"""What the node's process is set to, looked at in processes that are nobody else's."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

from edgetpu_retrain.node.process_tuning import SWITCH_INTERVAL_S
import pytest

# Receives images, as it were, and prints how many pages the system had to clear for one.
IMAGES = """
import resource
from edgetpu_retrain.node.process_tuning import tune_process

{first}
def pages():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def receive():
    return [b'x' * (1920 * 1080 * 3) for _ in range(3)]

receive()
before = pages()
for _ in range(10):
    receive()
print((pages() - before) / 10)
"""
# Lets eight threads allocate at once, and prints what the C library has set up for that.
THREADS = """
import ctypes
import threading
from edgetpu_retrain.node.process_tuning import tune_process

{first}
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
# The product wakes the threads of BLAS, where there are several; prints them and OpenCV's.
PRODUCT = """
import cv2
import numpy as np
import threadpoolctl
from edgetpu_retrain.node.process_tuning import tune_process

{first}
np.ones((1024, 1024), np.float32) @ np.ones(1024, np.float32)
pools = threadpoolctl.threadpool_info()
print(max(pool['num_threads'] for pool in pools), cv2.getNumThreads())
"""
# Of 4 KiB, in the three copies of one image.
PAGES = 3 * 1920 * 1080 * 3 / 4096

needs_glibc = pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='has no mallopt')


def run(program: str, package_path: str, **variables: str) -> str:
    ours = {name: value for name, value in os.environ.items() if not name.startswith('MALLOC_')}
    return subprocess.run(
        [sys.executable, '-c', program],
        env={**ours, 'PYTHONPATH': package_path, **variables},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@needs_glibc
def test_the_memory_of_an_image_is_kept_for_the_next(package_path: str) -> None:
    cleared = float(run(IMAGES.format(first='tune_process()'), package_path))
    assert cleared < PAGES / 20


@needs_glibc
def test_without_it_each_image_is_given_back(package_path: str) -> None:
    cleared = float(run(IMAGES.format(first=''), package_path))
    assert cleared > PAGES / 2


@needs_glibc
def test_threads_share_what_is_kept(package_path: str) -> None:
    told = run(THREADS.format(first='tune_process()'), package_path)
    assert 1 <= told.count('<heap nr=') <= 2
    assert run(THREADS.format(first=''), package_path).count('<heap nr=') > 2


@needs_glibc
def test_settings_of_the_users_own_stay(package_path: str) -> None:
    # A threshold from which on memory comes from the system, as if nothing had been tuned.
    program = IMAGES.format(first='tune_process()')
    cleared = float(run(program, package_path, MALLOC_MMAP_THRESHOLD_='1048576'))
    assert cleared > PAGES / 2


def test_threads_hand_the_interpreter_over_at_once(package_path: str) -> None:
    program = (
        'import sys\n'
        'from edgetpu_retrain.node.process_tuning import tune_process\n'
        'tune_process()\n'
        'print(sys.getswitchinterval())'
    )
    assert float(run(program, package_path)) == pytest.approx(SWITCH_INTERVAL_S)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason='has one core')
def test_no_thread_of_a_library_keeps_a_core_busy(package_path: str) -> None:
    def threads(first: str) -> list[int]:
        told = run(PRODUCT.format(first=first), package_path, OPENBLAS_NUM_THREADS='2')
        return [int(number) for number in told.split()]

    assert min(threads('')) >= 2
    assert threads('tune_process()') == [1, 1]
