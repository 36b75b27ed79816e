# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Job: what a frame worker does between two frames for another thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Job:
    """
    Something to be done between two frames.

    Args:
        function: what.
        done: gets what it returns or raises.
    """

    function: Callable[[], Any]
    done: Future[Any]

    def run(self) -> None:
        """Call the function, unless whoever asked has given up; never raises."""
        if not self.done.set_running_or_notify_cancel():
            return
        try:
            result = self.function()
        except Exception as error:  # noqa: BLE001 - whoever asked for the job gets it
            self.done.set_exception(error)
        else:
            self.done.set_result(result)
