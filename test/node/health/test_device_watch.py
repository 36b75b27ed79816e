# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The state of the devices, looked at by two threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
import threading
from types import SimpleNamespace
from typing import Any

from edgetpu_retrain.node.health.device_watch import DeviceWatch
from edgetpu_retrain.runtime.engines.engine import EngineStatus
from support.waiting import PATIENCE_S

WELL = EngineStatus('usb:0', 'litert', '')
FAILED = EngineStatus('cpu', 'litert', 'The Edge TPU failed')


class SlowEngines:
    """A device that fails while the first thread that has looked at it is held up."""

    def __init__(self) -> None:
        self.was_read, self.may_report = threading.Event(), threading.Event()

    def retry_if_due(self) -> None:
        """No retry is due."""

    def status(self) -> dict[str, EngineStatus]:
        """Return what the first thread sees late, and all others at once."""
        if self.was_read.is_set():
            return {'usb': FAILED}
        self.was_read.set()
        assert self.may_report.wait(PATIENCE_S)
        return {'usb': WELL}


def test_a_failure_is_not_replaced_by_what_another_thread_saw_before_it() -> None:
    engines: Any = SlowEngines()
    told: list[str] = []
    status: Any = SimpleNamespace(
        update=lambda **facts: told.append(facts['device']),
        set_problem=lambda _name, problem: told.append(problem),
    )
    watch = DeviceWatch(engines, status)
    with ThreadPoolExecutor() as threads:
        before = threads.submit(watch.check, {'front': 'usb'})
        assert engines.was_read.wait(PATIENCE_S)
        after = threads.submit(watch.check, {'front': 'usb'})
        # Long enough to report many states.
        wait([after], 0.2)
        engines.may_report.set()
        before.result(PATIENCE_S)
        after.result(PATIENCE_S)
    assert told == ['usb:0', '', 'cpu', 'The Edge TPU failed.']
