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
"""Back-off: when to try again what has failed."""

from __future__ import annotations

FIRST_S = 1.0
LONGEST_S = 60.0


class BackOff:
    """
    How long to wait after each failure: 1 s, 2 s, 4 s, ... and never more than 60 s.

    A success ends the series only when it has lasted as long as the longest wait: a device that
    fails again at once, over and over, is not to be tried every second.

    Args:
        first_s: seconds to wait after the first failure.
        longest_s: the most to wait.
    """

    def __init__(self, first_s: float = FIRST_S, longest_s: float = LONGEST_S) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s
        self._succeeded_at: float | None = None

    def failed(self, now: float) -> float:
        """Return the time at which to try again, after a failure at ``now``."""
        if self._succeeded_at is not None and now - self._succeeded_at >= self._longest_s:
            self._next_s = self._first_s
        self._succeeded_at = None
        wait_s, self._next_s = self._next_s, min(2 * self._next_s, self._longest_s)
        return now + wait_s

    def succeeded(self, now: float) -> None:
        """Note that it works as from ``now``."""
        self._succeeded_at = now
