# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the node's process, in separate processes."""

from __future__ import annotations

import os

from edgetpu_retrain.node.process.tuning import SWITCH_INTERVAL_S
import pytest
from support.tuned_process import run

# The product wakes the threads of BLAS, where there are several; prints them and OpenCV's.
PRODUCT = """
import cv2
import numpy as np
import threadpoolctl
from edgetpu_retrain.node.process.tuning import tune_process

{first}
np.ones((1024, 1024), np.float32) @ np.ones(1024, np.float32)
pools = threadpoolctl.threadpool_info()
print(max(pool['num_threads'] for pool in pools), cv2.getNumThreads())
"""


def test_rclpy_is_not_imported_before_the_process_is_tuned(package_path: str) -> None:
    program = 'import edgetpu_retrain.node.main, sys; print("rclpy" in sys.modules)'
    assert run(program, package_path) == 'False\n'


def test_the_switch_interval_is_set(package_path: str) -> None:
    program = (
        'import sys\n'
        'from edgetpu_retrain.node.process.tuning import tune_process\n'
        'tune_process()\n'
        'print(sys.getswitchinterval())'
    )
    assert float(run(program, package_path)) == pytest.approx(SWITCH_INTERVAL_S)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason='has one core')
def test_libraries_compute_on_the_calling_thread(package_path: str) -> None:
    def threads(first: str) -> list[int]:
        output = run(PRODUCT.format(first=first), package_path, OPENBLAS_NUM_THREADS='2')
        return [int(number) for number in output.split()]

    assert min(threads('')) >= 2
    assert threads('tune_process()') == [1, 1]
