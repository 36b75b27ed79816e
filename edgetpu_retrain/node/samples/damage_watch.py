# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""DamageWatch: checks the database for damage in the background, and reports the damage."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
import os
import sys
import threading

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.node.requests.background_thread import BackgroundThread
from edgetpu_retrain.store.database.damage_check import DamageCheck
from edgetpu_retrain.wording import sentence

_NICENESS = 10
"""Niceness of the check: a thread of normal priority gets nine times as much CPU time."""


class DamageWatch:
    """
    Checks a database for damage once after it is opened, in a background thread.

    Args:
        check: the check of the database.
        on_change: called by :meth:`update` and at the end of the check.  Its arguments are whether
            a check is running or due, and the file's problem as a sentence; '' = none is known.
    """

    def __init__(self, check: DamageCheck, on_change: Callable[[bool, str], None]) -> None:
        self._check = check
        self._on_change = on_change
        self._thread = BackgroundThread('damage check')
        self._running: Future[None] | None = None
        self._stopping = threading.Event()
        self._failure = ''

    def update(self) -> None:
        """Start the check if it is due, and call ``on_change``; call this method every second."""
        is_running = self._running is not None and not self._running.done()
        if not (is_running or self._check.is_done):
            self._stopping.clear()
            # Report the start now, because a short check may end before the next update.
            self._report()
            self._running = self._thread.submit(self._run)
        else:
            self._report()

    def stop(self) -> None:
        """Interrupt a running check, and wait for its end; :meth:`update` then repeats it."""
        self._stopping.set()
        self._check.interrupt()
        self._thread.stop()

    def _run(self) -> None:
        self._failure = ''
        # No request waits for the check, so lower its priority.  os.nice() changes only the
        # calling thread on Linux, and the whole process elsewhere; a sandbox may forbid it.
        if sys.platform == 'linux':
            with suppress(OSError):
                os.nice(_NICENESS)
        try:
            self._check.run(self._stopping.is_set)
        except StoreError as error:
            self._failure = sentence(error)
        self._report()

    def _report(self) -> None:
        is_checking = not (self._check.is_done or self._stopping.is_set())
        self._on_change(is_checking, self._check.problem or self._failure)
