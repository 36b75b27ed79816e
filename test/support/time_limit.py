# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin: a test that does not end is ended, with the tracebacks of all threads."""

from __future__ import annotations

from collections.abc import Iterator
import faulthandler
import os

import pytest

VARIABLE = 'TEST_TIME_LIMIT_S'
"""Environment variable: seconds that a test may take, with its fixtures."""

# The longest test takes 4 minutes where four run at once on two cores, and more on a Raspberry Pi.
_TIME_LIMIT_S = 1800.0

_STDERR = 2


class TimeLimit:
    """
    Ends the process in which a test takes too long.

    A test that waits in C code, as that of DDS is, can be interrupted in no other way.

    Args:
        limit_s: seconds for a test with its fixtures.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        # While a test runs, file descriptor 2 is a file of pytest's.
        self._output = os.dup(_STDERR)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        """Watch one test."""
        faulthandler.dump_traceback_later(self._limit_s, exit=True, file=self._output)
        yield
        faulthandler.cancel_dump_traceback_later()


def pytest_configure(config: pytest.Config) -> None:
    """Watch all tests of this process."""
    limit_s = float(os.environ.get(VARIABLE, _TIME_LIMIT_S))
    config.pluginmanager.register(TimeLimit(limit_s), 'time limit')
