# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
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
