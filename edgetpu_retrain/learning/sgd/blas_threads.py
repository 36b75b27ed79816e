# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Limits BLAS to one thread, during a training or in the whole node.

The matrices of a head are too small to gain from a second thread.  If another process occupies the
second core, two threads wait for each other a hundred times longer than they compute (measured
with OpenBLAS at 16 classes and 1024 dimensions).  After each product, OpenBLAS's second thread
busy-waits for the next product: comparing 30 new samples per second with 1000 stored samples then
takes 24 % of a core instead of 1 %.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
import logging
from typing import Any


def one_blas_thread() -> AbstractContextManager[object]:
    """
    Limit BLAS to one thread for each matrix product of this process, from now on.

    In a ``with`` statement, the limit ends with the block.  Without threadpoolctl, there is no
    limit, and the first call logs a warning.
    """
    controller = _controller()
    return controller.limit(limits=1, user_api='blas') if controller else nullcontext()


@cache
def _controller() -> Any:
    """
    Return a controller of the BLAS threads; None without threadpoolctl.

    The controller is cached, because creating it takes milliseconds.
    """
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        logging.getLogger(__name__).warning(
            'threadpoolctl is not installed: matrix products use all BLAS threads and can become '
            'very slow while other processes are busy; install it with "pip install threadpoolctl"'
        )
        return None
    return ThreadpoolController()
