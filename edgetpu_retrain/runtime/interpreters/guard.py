# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Guard: a thread for calls that may hang, which is abandoned if a call does hang."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from queue import SimpleQueue
import threading
from typing import Any, TypeVar
import weakref

from edgetpu_retrain.errors import DeviceError

Result = TypeVar('Result')


class Guard:
    """
    A dedicated thread for calls that may never return.

    A hanging Edge TPU blocks its caller inside a C++ library forever, and a thread cannot be
    killed.  The guard waits for the result only until a timeout and then abandons the thread and
    everything that the call refers to.  A call into the library releases the GIL, so other threads
    run while it hangs.  The thread is a daemon and never joined, so it does not prevent the
    process from exiting.

    The guard adds 10 to 100 microseconds to each call.

    Use a guard from one thread at a time.  Its thread ends when the guard is garbage-collected,
    unless a call hangs.

    Args:
        name: name of the thread.
    """

    def __init__(self, name: str = 'guard') -> None:
        self._calls: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        self._abandoned = False
        threading.Thread(target=_serve, args=(self._calls,), name=name, daemon=True).start()
        # At garbage collection, let the thread end after its current call, if any.
        self.end = weakref.finalize(self, self._calls.put, None)

    def call(self, function: Callable[[], Result], timeout_s: float) -> Result:
        """
        Call a function in the guard's thread; return its result or raise its exception.

        Args:
            function: the function to call.
            timeout_s: timeout in seconds.

        Raises:
            DeviceError: if the function does not return in time, and on every later call.
            Exception: whatever the function raises.
        """
        if self._abandoned:
            raise _hangs('an earlier call has not returned')
        future: Future[Result] = Future()
        self._calls.put((function, future))
        if not wait([future], timeout_s).done:
            self._abandoned = True
            self.end()
            raise _hangs(f'no result within {timeout_s:g} s')
        try:
            return future.result()
        finally:
            # The traceback of an exception refers to this frame.  If the frame also referred to
            # the exception, through the future, the cycle would keep a device open until the
            # garbage collector runs.
            del future


def _hangs(reason: str) -> DeviceError:
    return DeviceError(f'The Edge TPU hangs ({reason}) and its thread was abandoned')


def _serve(calls: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None]) -> None:
    while (call := calls.get()) is not None:
        function, future = call
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 - it is raised in the caller's thread
            future.set_exception(error)
        # Drop the references, so that this thread keeps no interpreter alive while it waits.
        del call, function, future
