# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import concurrent.futures
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path
import time
from typing import Any

from edgetpu_retrain.learning import Head
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.node.frames.frame_workers import FrameWorkers
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.runtime.engines.cpu_engine import CpuEngine
from edgetpu_retrain.runtime.engines.device_engines import DeviceEngines
from edgetpu_retrain.runtime.engines.engine import PreparedModel
from edgetpu_retrain.store.models.model_store import ModelVersion
import numpy as np
import pytest
from support.small_models import build_extractor
from support.waiting import PATIENCE_S

EXTRACTOR = build_extractor('uint8')
PICTURE = np.zeros((8, 8, 3), np.uint8)
DEVICE_OF = {'front': 'usb:0', 'arm': 'usb:1', 'rear': 'usb:0'}


class Worker:
    """Takes what it is given, and ends a swap when the test says so."""

    def __init__(self) -> None:
        self.cameras: list[str] = []
        self.pictures: list[Any] = []
        self.served: list[tuple[LoadedModel, PreparedModel]] = []
        self.swap: Future[None] = Future()
        self.waits: list[float] = []
        self.busy_s = 0.0

    def offer(self, frame: Frame) -> None:
        self.cameras.append(frame.camera)

    def wait_until_idle(self, timeout_s: float) -> bool:
        self.waits.append(timeout_s)
        time.sleep(min(self.busy_s, timeout_s))
        return self.busy_s < timeout_s

    def embed(self, rgb: Any) -> Future[Any]:
        self.pictures.append(rgb)
        return Future()

    def serve(self, model: LoadedModel, prepared: PreparedModel) -> Future[None]:
        self.served.append((model, prepared))
        return self.swap


class Bench:
    """Two workers, and a model that both can serve."""

    def __init__(self) -> None:
        self.first, self.second = Worker(), Worker()
        self.healthiest = 'usb:0'
        workers: Any = {'usb:0': self.first, 'usb:1': self.second}
        self.workers = FrameWorkers(workers, DEVICE_OF, lambda: self.healthiest)
        engines = DeviceEngines({device: CpuEngine(EXTRACTOR) for device in workers})
        weights = np.eye(engines.description.dimension, 2, dtype=np.float32)
        head = Head(weights, np.zeros(2, np.float32), ('a', 'b'), (-4, 4))
        record: Any = None
        version = ModelVersion(7, Path('nowhere'), record, sha256='')
        self.model = LoadedModel(version, engines.prepare(append_head(EXTRACTOR, head)))


@pytest.fixture
def bench() -> Bench:
    """Return two workers."""
    return Bench()


def test_frames_go_to_the_device_of_their_camera(bench: Bench) -> None:
    transport: Any = None
    for camera in DEVICE_OF:
        bench.workers.offer(Frame(camera, transport, None, 0.0))
    assert bench.first.cameras == ['front', 'rear']
    assert bench.second.cameras == ['arm']


def test_pictures_go_to_a_device_that_works(bench: Bench) -> None:
    bench.workers.embed(PICTURE)
    bench.healthiest = 'usb:1'
    bench.workers.embed(PICTURE)
    assert len(bench.first.pictures) == len(bench.second.pictures) == 1


def test_a_swap_ends_with_the_last_worker(bench: Bench) -> None:
    with ThreadPoolExecutor(1) as thread:
        swapped = thread.submit(bench.workers.serve, bench.model)
        bench.second.swap.set_result(None)
        with pytest.raises(concurrent.futures.TimeoutError):
            swapped.result(timeout=0.05)
        bench.first.swap.set_result(None)
        assert swapped.result(timeout=30.0) is None
    assert bench.first.served == [(bench.model, bench.model.prepared['usb:0'])]
    assert bench.second.served == [(bench.model, bench.model.prepared['usb:1'])]


def test_a_swap_that_one_worker_cancels_is_cancelled(bench: Bench) -> None:
    bench.first.swap.cancel()
    bench.second.swap.set_result(None)
    with pytest.raises(CancelledError):
        bench.workers.serve(bench.model)


def test_a_swap_fails_with_its_worker(bench: Bench) -> None:
    bench.first.swap.set_result(None)
    bench.second.swap.set_exception(ValueError('prepared by another engine'))
    with pytest.raises(ValueError, match='another engine'):
        bench.workers.serve(bench.model)


def test_all_workers_together_are_waited_for_no_longer_than_the_timeout() -> None:
    bench = Bench()
    bench.workers.wait_until_idle(PATIENCE_S)
    assert 0.0 < bench.first.waits[0] <= PATIENCE_S
    assert 0.0 <= bench.second.waits[0] <= PATIENCE_S
    bench.first.busy_s = 1.0
    bench.workers.wait_until_idle(0.05)
    assert bench.second.waits[1] < 0.05
