# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Guard: runs calls that may hang in a thread that can be abandoned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
import threading
from typing import Any, TypeVar
import weakref

Answer = TypeVar('Answer')


class CallTimedOutError(Exception):
    """Raised if a guarded call does not return in time."""


@dataclass(frozen=True, eq=False)
class _Outcome:
    answer: Any = None
    error: BaseException | None = None


class Guard:
    """
    A dedicated thread for calls that may never return.

    A hanging Edge TPU blocks its caller inside a C++ library forever, and a thread cannot be
    killed.  The guard waits for the result only until a timeout and then abandons the thread and
    everything that the call refers to.  The thread is a daemon and never joined, so it does not
    prevent the process from exiting.

    A call has an overhead of 10 to 100 microseconds.

    Use a guard from one thread at a time.  Its thread ends when the guard is garbage-collected.

    Args:
        name: name of the thread.
    """

    def __init__(self, name: str = 'guard') -> None:
        # C++ calls release the GIL, so waiting on a queue needs no polling.
        self._calls: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self._outcomes: SimpleQueue[_Outcome] = SimpleQueue()
        self._abandoned = False
        threading.Thread(
            target=_serve, args=(self._calls, self._outcomes), name=name, daemon=True
        ).start()
        self._end = weakref.finalize(self, self._calls.put, None)

    def call(self, function: Callable[[], Answer], timeout_s: float) -> Answer:
        """
        Call a function in the guard's thread; return its result or raise its exception.

        Args:
            function: the function to call.
            timeout_s: timeout, seconds.

        Raises:
            CallTimedOutError: if it does not return in time, and on every later call.
        """
        if self._abandoned:
            raise CallTimedOutError('an earlier call has not returned')
        self._calls.put(function)
        try:
            outcome = self._outcomes.get(timeout=timeout_s)
        except Empty:
            self._abandoned = True
            self.end()
            raise CallTimedOutError(f'no answer within {timeout_s:g} s') from None
        if outcome.error is None:
            answer: Answer = outcome.answer
            return answer
        try:
            raise outcome.error
        finally:
            # The error refers to this frame.  If the frame also referred to the error, this
            # cycle would keep a device open until the garbage collector runs.
            del outcome

    def end(self) -> None:
        """Let the thread end after its current call, if any."""
        self._end()


def _serve(calls: SimpleQueue[Callable[[], Any] | None], outcomes: SimpleQueue[_Outcome]) -> None:
    while (function := calls.get()) is not None:
        try:
            outcome = _Outcome(function())
        except BaseException as error:  # noqa: BLE001 - it is raised where the call was made
            outcome = _Outcome(error=error)
        outcomes.put(outcome)
        # Drop the references, so that a waiting thread does not keep an interpreter alive.
        del function, outcome
