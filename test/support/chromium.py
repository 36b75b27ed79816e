# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The browser of the browser tests: the distribution's Chromium, driven by Playwright."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import importlib
import importlib.util
import os
from pathlib import Path
import shutil
from typing import Any

import pytest
from support.waiting import PATIENCE_S

VARIABLE = 'BROWSER_TESTS'
"""
Environment variable: 'required' makes a missing browser a failure, 'off' leaves the tests out.
"""

DID_NOT_RUN = 'browser test'
"""How the reasons of all tests begin that did not run for lack of a browser."""

_PROGRAMS = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')


def find_chromium() -> str | None:
    """
    Return the path of Chromium or Chrome; None if there is none that can be used.

    Ubuntu's ``chromium-browser`` is a snap, or a script that starts one.  Snaps see another /tmp,
    where the profile that Playwright creates is missing.
    """
    for name in _PROGRAMS:
        found = shutil.which(name)
        if found is not None and not _is_snap(Path(found)):
            return found
    return None


def _is_snap(program: Path) -> bool:
    if '/snap/' in str(program) or program.resolve().name == 'snap':
        return True
    with program.open('rb') as file:
        start = file.read(4096)
    return start.startswith(b'#!') and b'/snap/bin' in start


def missing() -> str:
    """Return what is missing for a browser test, in a sentence; '' = nothing."""
    if importlib.util.find_spec('playwright') is None:
        return 'Playwright is not installed: it comes with `make test`, on x86_64 and aarch64'
    if find_chromium() is None:
        return (
            'Chromium is not installed: sudo apt-get install chromium (on Ubuntu, where that is a '
            'snap, which does not work here: google-chrome-stable)'
        )
    return ''


def require_browser() -> None:
    """Skip the test, or fail if ``BROWSER_TESTS=required``, where a browser is missing."""
    wanted = os.environ.get(VARIABLE, '')
    if wanted == 'off':
        pytest.skip(f'{DID_NOT_RUN}: {VARIABLE}=off')
    problem = missing()
    if problem and wanted == 'required':
        pytest.fail(f'{DID_NOT_RUN}, and {VARIABLE}=required: {problem}', pytrace=False)
    elif problem:
        pytest.skip(f'{DID_NOT_RUN}: {problem}')


def browser_module(name: str) -> Any:
    """Import a test tool; without it skip the module, or fail if ``BROWSER_TESTS=required``."""
    if os.environ.get(VARIABLE) == 'required':
        return importlib.import_module(name)
    return pytest.importorskip(name, reason=f'{DID_NOT_RUN}: {name} comes with `make test`')


@contextlib.contextmanager
def running_browser() -> Iterator[tuple[Any, Any]]:
    """
    Start Chromium; yield Playwright and the browser.

    No other event loop may run in this thread meanwhile.
    """
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=1000 * PATIENCE_S)
    with sync_playwright() as playwright:
        # As root, which CI is, Chromium needs --no-sandbox.  Only the page of this package is
        # opened.  /dev/shm is small in containers.
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=['--no-sandbox', '--disable-dev-shm-usage']
        )
        yield playwright, browser
        browser.close()
