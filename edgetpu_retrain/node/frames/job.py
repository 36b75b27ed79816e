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
