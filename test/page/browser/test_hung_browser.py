# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A browser that does not respond: it must fail one test at most, and not be waited for."""

from __future__ import annotations

import os
import signal

import pytest
from support import chromium
from support.chromium import Browser, browser_module, require_browser, running_browser
from support.marked_processes import marked_processes
from support.waiting import wait_until

sync_api = browser_module('playwright.sync_api')


def stop(browser: Browser) -> None:
    """Stop all processes of a browser, which goes on running."""
    processes = marked_processes(browser._mark)
    assert len(processes) > 1
    for process_id in processes:
        os.kill(process_id, signal.SIGSTOP)


def test_it_is_killed_and_the_next_window_has_another(monkeypatch: pytest.MonkeyPatch) -> None:
    require_browser()
    monkeypatch.setattr(chromium, 'PATIENCE_S', 1.0)
    with running_browser() as (_, browser):
        page = browser.new_context().new_page()
        stop(browser)
        browser.close_context(page.context)
        with browser.new_context() as context:
            page = context.new_page()
            stop(browser)
            with pytest.raises(sync_api.Error), browser.time_limit(1.0):
                page.evaluate('1')
        browser.new_context()
        stop(browser)
    # The processes have been killed, and may take a moment to end.
    wait_until(lambda: not marked_processes(browser._mark))
