# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A person who visits the teaching page with a desktop computer or a phone."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from support.page_robot import PageRobot
from support.waiting import PATIENCE_S

DEVICES = ('desktop', 'phone')

_DESKTOP = {'viewport': {'width': 1280, 'height': 800}}
_PHONE = 'Pixel 5'
_LAST = 60


class Visitor(contextlib.ExitStack):
    """
    A browser window with the page, and what a person does there.

    Args:
        playwright: Playwright.
        browser: the browser.
        robot: the robot whose page is opened.
        device: 'desktop' or 'phone'.
        options: further options of the browser's context.
    """

    def __init__(
        self, playwright: Any, browser: Any, robot: PageRobot, device: str, **options: Any
    ) -> None:
        super().__init__()
        self.robot = robot
        self.is_phone = device == 'phone'
        emulation = playwright.devices[_PHONE] if self.is_phone else _DESKTOP
        self.context = browser.new_context(**{**emulation, **options})
        self.callback(self.context.close)
        self.context.set_default_timeout(1000 * PATIENCE_S)
        self.console: list[str] = []
        self.requested: list[str] = []
        self.bytes_received = 0
        self.page = self.context.new_page()
        self.page.on('console', lambda message: self.console.append(message.text))
        self.page.on('pageerror', lambda error: self.console.append(f'uncaught: {error}'))
        self.page.on('request', lambda request: self.requested.append(request.url))

    def open(self, path: str = '/') -> None:
        """Open the page, or a part of it."""
        self.page.goto(self.robot.address + path)

    def button(self, name: str, *, exact: bool = True) -> Any:
        """Return the button of an accessible name."""
        return self.page.get_by_role('button', name=name, exact=exact)

    def hosts(self) -> set[str]:
        """Return the hosts that the browser has requested anything from."""
        return {urlsplit(url).netloc for url in self.requested if '://' in url}

    def evidence(self, screenshot: Path) -> list[tuple[str, str]]:
        """Return what helps to understand a failure, as titled texts, and take a screenshot."""
        screenshot.parent.mkdir(parents=True, exist_ok=True)
        picture = screenshot.with_suffix('.png')
        self.page.screenshot(path=picture, full_page=True)
        seen = self.page.locator('body').aria_snapshot()
        logs = [(f'log of {name}', text) for name, text in self.robot.logs().items()]
        return [
            ('screenshot', str(picture)),
            (f'page {self.page.url}', seen),
            ('console of the browser', '\n'.join(self.console[-_LAST:])),
            *logs,
        ]
