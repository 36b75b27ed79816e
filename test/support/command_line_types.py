# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The result of a command of the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import json
from typing import Any


@dataclass
class Ended:
    """Exit code and output of a command that has ended."""

    code: int
    out: str
    err: str

    @property
    def result(self) -> Any:
        """The JSON object that it printed with --json."""
        (line,) = self.out.splitlines()
        return json.loads(line)

    @property
    def problem(self) -> str:
        """Its error message, a single line."""
        assert 'Traceback' not in self.err
        errors = [line for line in self.err.splitlines() if line.lower().startswith('error')]
        assert len(errors) == 1, self.err
        return errors[0]


Run = Callable[..., Ended]

TEACH_ALL = ('teach', '--min-novelty', '-1')
"""Teaches all pictures, also near copies, of which tests have many."""
