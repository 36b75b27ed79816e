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
One BLAS thread while training, and in a process that serves.

The matrices of a last layer are too small for a second thread to gain anything, and two threads
wait for each other a hundred times longer than they compute when another process holds the
second core (measured with OpenBLAS at 16 classes and 1024 dimensions).  After each product
OpenBLAS's second thread waits for the next by asking again and again, which took most of a core
from a node that compared new samples with those it had.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
import logging
from typing import Any


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let matrix products run on the calling thread alone inside the ``with`` block."""
    controller = _controller()
    if controller is None:
        yield
        return
    with controller.limit(limits=1, user_api='blas'):
        yield


def keep_to_one_blas_thread() -> None:
    """Let matrix products of this process run on the calling thread alone from now on."""
    if (controller := _controller()) is not None:
        # Not used as a context, it stays.
        controller.limit(limits=1, user_api='blas')


@cache
def _controller() -> Any:
    """Return the process's thread pools; looking for them takes milliseconds, so only once."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        logging.getLogger(__name__).warning(
            'threadpoolctl is not installed: matrix products use all BLAS threads and can become '
            'very slow while other processes are busy; install it with "pip install threadpoolctl"'
        )
        return None
    return ThreadpoolController()
