# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Answering: a thread that tells a frame's answer while the next frame is in the backbone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class Answering:
    """
    Tells answers in their order, in a thread of its own where that saves time, at most one behind.

    Publishing keeps Python to itself for a good part of a millisecond, while the interpreter of a
    model leaves it alone: side by side they take no longer than the model.  So an answer is held
    until the next frame is in the model; where there is no next frame, it is told at once.
    Whoever holds the next one waits until the one before is told: a slow middleware slows the
    frames down instead of filling the memory.

    One thread holds and tells; whichever runs the model meanwhile may release.
    """

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._held: Callable[[], None] | None = None
        self._told: Future[None] | None = None

    def start(self) -> None:
        """Begin; it can be stopped and started again."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix='answers')

    def stop(self) -> None:
        """End when all that was held is told."""
        self.tell()
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

    @property
    def is_holding(self) -> bool:
        """Whether an answer waits to be told or released."""
        return self._held is not None

    def hold(self, tell: Callable[[], None]) -> None:
        """
        Keep an answer until it is told or released, once the one before is told.

        Args:
            tell: publishes it; must not raise.
        """
        self.tell()
        self._held = tell

    def release(self) -> None:
        """Have the answer told that is held, if any, by the thread for it."""
        tell, self._held = self._held, None
        if tell is not None:
            assert self._thread is not None, 'answers are released between start() and stop()'
            self._told = self._thread.submit(tell)

    def tell(self) -> None:
        """Return when all that was held is told; what was not released is told right here."""
        if self._told is not None:
            self._told.result()
            self._told = None
        tell, self._held = self._held, None
        if tell is not None:
            tell()
