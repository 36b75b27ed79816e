# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Waits for other threads and processes."""

from __future__ import annotations

from collections.abc import Callable
import threading
import time
from typing import Any, TypeVar

# Long enough for a busy machine.
PATIENCE_S = 90.0

Item = TypeVar('Item')


class Collected(list[Item]):
    """A list of received items; other threads can wait for more."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self._ended = False

    def append(self, item: Item) -> None:
        with self._changed:
            super().append(item)
            self._changed.notify_all()

    def end(self) -> None:
        """Mark the list as complete: no more items will come."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[Item], bool], *, since: int = 0) -> Item:
        """Wait for the first item, from number ``since`` on, that satisfies ``condition``."""
        found: list[Item] = []

        def is_there() -> bool:
            found.extend(item for item in self[since:] if condition(item))
            return bool(found) or self._ended

        with self._changed:
            self._changed.wait_for(is_there, PATIENCE_S)
        if not found:
            last = '\n'.join(map(str, self[-20:]))
            raise TimeoutError(f'no such item within {PATIENCE_S:.0f} s; the last ones:\n{last}')
        return found[0]

    def next_one(self) -> Item:
        """Wait for the next item and return it."""
        return self.wait_for(lambda _: True, since=len(self))


def wait_until(condition: Callable[[], bool], poll_s: float = 0.01) -> None:
    """Wait until a condition holds that no event reports."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f'the condition did not hold within {PATIENCE_S:.0f} s')
        time.sleep(poll_s)


def wait_for(future: Any, patience_s: float = PATIENCE_S) -> Any:
    """Wait for a future, of rclpy or of Python, that another thread completes."""
    ended = threading.Event()
    future.add_done_callback(lambda _: ended.set())
    if not ended.wait(patience_s):
        raise TimeoutError(f'no response within {patience_s:.0f} s')
    return future.result()
