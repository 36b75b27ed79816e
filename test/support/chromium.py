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
import signal
import threading
from typing import Any
import uuid

import pytest
from support.marked_processes import marked_processes
from support.waiting import PATIENCE_S

VARIABLE = 'BROWSER_TESTS'
"""
Environment variable: 'required' makes a missing browser a failure, 'off' leaves the tests out.
"""

DID_NOT_RUN = 'browser test'
"""How the reasons of all tests begin that did not run for lack of a browser."""

_START_MS = 1000 * PATIENCE_S

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


class Browser:
    """
    Chromium; it is started again for the next window if it has ended.

    Playwright has no time limit for most calls, and Chromium, rarely, does not respond to the call
    that closes it (such as https://github.com/Sparticuz/chromium/issues/85).  It is killed then.

    Args:
        playwright: Playwright.
    """

    def __init__(self, playwright: Any) -> None:
        self._playwright = playwright
        self._mark = f'BROWSER_OF_TEST={uuid.uuid4()}'
        self._chromium: Any = None

    def new_context(self, **options: Any) -> Any:
        """Open a window with its own cookies, and return its context."""
        if self._chromium is None or not self._chromium.is_connected():
            name, value = self._mark.split('=')
            # As root, which CI is, Chromium needs --no-sandbox.  Only the page of this package is
            # opened.  /dev/shm is small in containers.
            self._chromium = self._playwright.chromium.launch(
                executable_path=find_chromium(),
                args=['--no-sandbox', '--disable-dev-shm-usage'],
                env={**os.environ, name: value},
                timeout=_START_MS,
            )
        return self._chromium.new_context(**options)

    def close_context(self, context: Any) -> None:
        """Close a window."""
        self._close(context)

    def close(self) -> None:
        """End Chromium."""
        if self._chromium is not None:
            self._close(self._chromium)

    @contextlib.contextmanager
    def time_limit(self, seconds: float) -> Iterator[None]:
        """Kill Chromium after some time in the context; the call that waits for it then fails."""
        timer = threading.Timer(seconds, self._kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _close(self, what: Any) -> None:
        from playwright.sync_api import Error

        with self.time_limit(PATIENCE_S), contextlib.suppress(Error):
            what.close()

    def _kill(self) -> None:
        for process_id in marked_processes(self._mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGKILL)


@contextlib.contextmanager
def running_browser() -> Iterator[tuple[Any, Browser]]:
    """
    Yield Playwright and a browser.

    No other event loop may run in this thread meanwhile.
    """
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=1000 * PATIENCE_S)
    with sync_playwright() as playwright, contextlib.closing(Browser(playwright)) as browser:
        yield playwright, browser
