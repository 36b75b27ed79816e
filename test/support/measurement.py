# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin: which processes coverage.py measures, and when it saves what it measured."""

from __future__ import annotations

from collections.abc import Iterator
import os
import sys

import pytest

# What makes coverage.py measure a new process.
_MEASURE = 'COVERAGE_PROCESS_START'


@pytest.fixture(scope='session', autouse=True)
def measurement() -> Iterator[dict[str, str]]:
    """Measure branches in this process only; return the variable that measures another one."""
    with pytest.MonkeyPatch.context() as patch:
        config = os.environ.get(_MEASURE)
        patch.delenv(_MEASURE, raising=False)
        yield {} if config is None else {_MEASURE: config}


@pytest.fixture(scope='module')
def measured_processes(measurement: dict[str, str]) -> Iterator[None]:
    """
    Measure branches in the processes that the tests of a module start as well.

    That takes a node 0.6 s of processor time more.  So modules ask for this in which a program
    does what others of its room do not make it do; those that start many processes do not.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name, value in measurement.items():
            patch.setenv(name, value)
        yield


def pytest_sessionfinish() -> None:
    """
    Save what was measured in this process.

    coverage.py does so at the end of the process, but pytest-xdist kills a worker that takes more
    than 10 s to end, as it may on a busy machine.
    """
    if 'coverage' in sys.modules:
        from coverage import Coverage

        if (measured := Coverage.current()) is not None:
            measured.save()
