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
"""How a command of the command line ended, as its tests see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import json
from typing import Any


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def result(self) -> Any:
        """What it printed with --json."""
        (line,) = self.out.splitlines()
        return json.loads(line)

    @property
    def problem(self) -> str:
        """The one sentence that it ended with."""
        assert 'Traceback' not in self.err
        errors = [line for line in self.err.splitlines() if line.lower().startswith('error')]
        assert len(errors) == 1, self.err
        return errors[0]


Run = Callable[..., Ended]
