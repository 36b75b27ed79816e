# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""~/reembed_samples while it works: asked again, and ended by the node's deactivation."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
import threading
from types import SimpleNamespace
from typing import Any

import cv2
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.node.samples.sample_services import SampleServices
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from std_srvs.srv import Trigger
from support.lone_node import LoneNode
from support.running_node import PATIENCE_S, pattern
from support.samples import add_sample
from support.small_models import build_extractor

DESCRIPTION = describe(build_extractor('uint8'))


class Robot(LoneNode):
    """A node with three samples of another extractor, and a worker that waits to be told."""

    def __init__(self, folder: Path) -> None:
        super().__init__('correcting')
        self.store = SampleStore(folder / 'samples.db')
        jpeg = cv2.imencode('.jpg', pattern(1))[1].tobytes()
        for _ in range(3):
            row = np.zeros(8, np.float32)
            add_sample(self.store, 'cat', row, extractor='a' * 64, quantization=None, image=jpeg)
        self.asked = threading.Event()
        self.waiting: list[Future[Any]] = []
        samples = SimpleNamespace(description=DESCRIPTION, change=lambda change: change())
        workers = SimpleNamespace(embed=self.embed)
        parts: Any = SimpleNamespace(store=self.store, samples=samples, workers=workers)
        self.services = SampleServices(self.node, lambda: parts)

    def embed(self, _rgb: Any) -> Future[Any]:
        answer: Future[Any] = Future()
        self.waiting.append(answer)
        self.asked.set()
        return answer

    def ask(self) -> Any:
        """Call the service, and return the future of its answer."""
        response = Trigger.Response()
        work = self.services._reembed(Trigger.Request(), response)
        return self.executor.create_task(self.services._responses.fill, response, work)

    def answer(self, asked: Any) -> Any:
        self.executor.spin_until_future_complete(asked, PATIENCE_S)
        return asked.result()

    def close(self) -> None:
        for each in self.waiting:
            each.cancel()
        self.services.stop()
        super().close()
        self.store.close()


@pytest.fixture
def robot(tmp_path: Path) -> Iterator[Robot]:
    robot = Robot(tmp_path)
    yield robot
    robot.close()


def test_a_second_request_meanwhile_is_refused(robot: Robot) -> None:
    first = robot.ask()
    robot.executor.spin_once(timeout_sec=0.0)
    assert robot.asked.wait(PATIENCE_S)
    refused = robot.answer(robot.ask())
    assert not refused.success
    assert refused.message == 'The samples are being embedded again: wait until that is done.'
    robot.waiting[0].cancel()
    assert not robot.answer(first).success


def test_it_ends_after_the_picture_in_hand_and_goes_on_when_asked_again(robot: Robot) -> None:
    first = robot.ask()
    robot.executor.spin_once(timeout_sec=0.0)
    assert robot.asked.wait(PATIENCE_S)
    robot.services._stopping.set()
    robot.waiting[0].set_result(np.zeros(8, np.uint8))
    robot.services.stop()
    stopped = robot.answer(first)
    assert not stopped.success
    assert stopped.message.startswith('It was stopped after 1 sample, which stay')
    assert robot.store.unembedded(extractor=DESCRIPTION.identity).samples == 2
