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
"""Guard: calls that may never return, made from a thread that may be left behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
import threading
from typing import Any, TypeVar
import weakref

Answer = TypeVar('Answer')


class CallTimedOutError(Exception):
    """A guarded call that did not return in time."""


@dataclass(frozen=True, eq=False)
class _Outcome:
    answer: Any = None
    error: BaseException | None = None


class Guard:
    """
    A thread of its own for calls that may never return.

    An Edge TPU that hangs keeps its caller in a C++ library for good, and no thread can be ended
    from outside.  Here the caller waits for an answer only so long; then the thread, and what it
    was called with, is left behind.  It is a daemon and never joined, so it does not keep the
    process from ending.

    Handing a call over and its answer back costs 10 to 100 microseconds.

    Calls are made by one thread at a time.  A guard that nobody has any more ends its thread.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str = 'guard') -> None:
        # C++ calls let Python's other threads run, so these need no polling.
        self._calls: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self._outcomes: SimpleQueue[_Outcome] = SimpleQueue()
        self._abandoned = False
        threading.Thread(
            target=_serve, args=(self._calls, self._outcomes), name=name, daemon=True
        ).start()
        self._end = weakref.finalize(self, self._calls.put, None)

    def call(self, function: Callable[[], Answer], timeout_s: float) -> Answer:
        """
        Return what a function returns, or raise what it raises, in the guard's thread.

        Args:
            function: to be called.
            timeout_s: seconds to wait for it.

        Raises:
            CallTimedOutError: when it did not return in time; from then on, every call.
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
            # The error holds on to this frame from now on.  If the frame did so to the error, both
            # would live, and a device stay open, until the garbage collector comes by.
            del outcome

    def end(self) -> None:
        """Let the thread end after the call that it is in, if any."""
        self._end()


def _serve(calls: SimpleQueue[Callable[[], Any] | None], outcomes: SimpleQueue[_Outcome]) -> None:
    while (function := calls.get()) is not None:
        try:
            outcome = _Outcome(function())
        except BaseException as error:  # noqa: BLE001 - it is raised where the call was made
            outcome = _Outcome(error=error)
        outcomes.put(outcome)
        # An interpreter must not live on because this thread waits.
        del function, outcome
