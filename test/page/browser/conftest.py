# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A robot with its teaching page, and visitors with a desktop or a phone."""

from __future__ import annotations

from collections.abc import Generator, Iterator
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from support.chromium import require_browser, running_browser
from support.page_robot import PageRobot
from support.taught_photographs import teach_photographs
from support.visitor import DEVICES, Visitor

# The longest test takes 2 minutes on a busy machine.
_LONGEST_S = 600.0

TAUGHT = {'background': 10, 'cat': 10, 'coffee': 10}


@pytest.fixture(scope='module')
def playwright_and_browser() -> Iterator[tuple[Any, Any]]:
    """Return Playwright and a browser; of a module, so that others may have an event loop."""
    require_browser()
    with running_browser() as found:
        yield found


@pytest.fixture(scope='module', params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    """Return the name of an emulated device; all tests of a module run with both."""
    return str(request.param)


@pytest.fixture(scope='session')
def photographs(package_path: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with ``TAUGHT`` and two versions of a model."""
    return teach_photographs(tmp_path_factory.mktemp('photographs'), package_path, TAUGHT, 2)


@pytest.fixture(scope='module')
def taught() -> Path | None:
    """Return the data folder that ``robot`` begins with; None = an empty one."""
    return None


@pytest.fixture(scope='module')
def robot(
    package_path: str,
    playwright_and_browser: tuple[Any, Any],
    taught: Path | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[PageRobot]:
    """Return a robot, which the tests of a module share."""
    assert playwright_and_browser
    with PageRobot(package_path, tmp_path_factory.mktemp('robot'), taught) as robot:
        yield robot


@pytest.fixture
def visitor(
    playwright_and_browser: tuple[Any, Any], robot: PageRobot, device: str
) -> Iterator[Visitor]:
    """Return a visitor of the page of ``robot``."""
    playwright, browser = playwright_and_browser
    with browser.time_limit(_LONGEST_S), Visitor(playwright, browser, robot, device) as visitor:
        yield visitor
        assert visitor.hosts() == {urlsplit(robot.address).netloc}
        assert visitor.faults() == []


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, Any, None]:
    """Add to the report of a failure what the visitor saw, and keep a screenshot."""
    outcome = yield
    report = outcome.get_result()
    visitor = item.funcargs.get('visitor')
    if report.when == 'call' and report.failed and isinstance(visitor, Visitor):
        folder = Path(os.environ.get('BROWSER_FAILURES', '.cache/browser_failures'))
        report.sections += visitor.evidence(folder.absolute() / item.name)
