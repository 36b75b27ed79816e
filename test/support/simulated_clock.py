# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A clock that stands still until a test sets it."""

from __future__ import annotations

import threading

from diagnostic_msgs.msg import DiagnosticArray
from rosgraph_msgs.msg import Clock
from support.person import Person


class SimulatedClock:
    """
    Publishes the same time on ``/clock`` until a test sets another.

    Args:
        person: has the publisher.
    """

    def __init__(self, person: Person) -> None:
        self._publisher = person.node.create_publisher(Clock, '/clock', 10)
        self._diagnostics = person.collect(DiagnosticArray, '/diagnostics')
        self._time = Clock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def set_to(self, seconds: int) -> None:
        """Set the time, and return when the node has it."""
        time = Clock()
        time.clock.sec = seconds
        self._time = time
        self._diagnostics.wait_for(
            lambda each: each.header.stamp.sec == seconds, since=len(self._diagnostics)
        )

    def close(self) -> None:
        """Stop publishing."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.02):
            self._publisher.publish(self._time)
