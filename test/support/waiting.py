# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Waiting for what other threads and other processes do."""

from __future__ import annotations

from collections.abc import Callable
import threading
from typing import Any, TypeVar

# How long a busy machine may take for what an idle one does in a moment.
PATIENCE_S = 90.0

Answer = TypeVar('Answer')


class Collected(list[Answer]):
    """What came, in order; other threads can wait for more."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self._ended = False

    def append(self, item: Answer) -> None:
        with self._changed:
            super().append(item)
            self._changed.notify_all()

    def end(self) -> None:
        """Tell that nothing more will come."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, what: Callable[[Answer], bool], *, since: int = 0) -> Answer:
        """Return the first item, from number ``since`` on, for which ``what`` holds."""
        found: list[Answer] = []

        def is_there() -> bool:
            found.extend(item for item in self[since:] if what(item))
            return bool(found) or self._ended

        with self._changed:
            self._changed.wait_for(is_there, PATIENCE_S)
        if not found:
            last = '\n'.join(map(str, self[-20:]))
            raise TimeoutError(f'it did not come within {PATIENCE_S:.0f} s; the last:\n{last}')
        return found[0]

    def next_one(self) -> Answer:
        """Wait for one more than there are now, and return it."""
        return self.wait_for(lambda _: True, since=len(self))


def wait_for(future: Any, patience_s: float = PATIENCE_S) -> Any:
    """Wait for an rclpy future that another thread's executor ends."""
    ended = threading.Event()
    future.add_done_callback(lambda _: ended.set())
    if not ended.wait(patience_s):
        raise TimeoutError(f'no answer within {patience_s:.0f} s')
    return future.result()
