# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Frame workers that run while a test does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.frame_worker_bench import WorkerBench


@pytest.fixture
def untrained() -> Iterator[WorkerBench]:
    bench = WorkerBench()
    yield bench
    bench.worker.stop()


@pytest.fixture
def trained() -> Iterator[WorkerBench]:
    bench = WorkerBench('cat', 'dog')
    yield bench
    bench.worker.stop()
