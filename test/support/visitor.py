# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A person who visits the teaching page with a desktop computer or a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import contextlib
import os
from pathlib import Path
import re
from typing import Any, Protocol
from urllib.parse import urlsplit

from support.waiting import PATIENCE_S, wait_until

DEVICES = ('desktop', 'phone')

PICTURES = 'PAGE_PICTURES'
"""Environment variable: folder for the pictures of the documents."""

_DESKTOP = {'viewport': {'width': 1280, 'height': 800}}
_PHONE = 'Pixel 5'
_LAST = 60
_TRANSITION_MS = 1000
# How often to look whether a button is pressed before pressing it again, and how often to do that.
_LOOKS = 100
_MOST_HOLDS = 50


class Place(Protocol):
    """What can be visited: a page's server, or a robot that has one."""

    address: str

    def logs(self) -> dict[str, str]:
        """Return the output of its processes by their names."""


class Visitor(contextlib.ExitStack):
    """
    A browser window with the page, and what a person does there.

    Args:
        playwright: Playwright.
        browser: the browser, a :class:`support.chromium.Browser`.
        place: where the page is.
        device: 'desktop' or 'phone'.
        options: further options of the browser's context.
    """

    def __init__(
        self, playwright: Any, browser: Any, place: Place, device: str, **options: Any
    ) -> None:
        super().__init__()
        self.place = place
        self.is_phone = device == 'phone'
        emulation = playwright.devices[_PHONE] if self.is_phone else _DESKTOP
        self.context = browser.new_context(**{**emulation, **options})
        self.callback(browser.close_context, self.context)
        self.context.set_default_timeout(1000 * PATIENCE_S)
        self.console: list[str] = []
        self.requested: list[str] = []
        self.page = self.context.new_page()
        self.page.on('console', lambda message: self.console.append(message.text))
        self.page.on('pageerror', lambda error: self.console.append(f'uncaught: {error}'))
        self.page.on('request', lambda request: self.requested.append(request.url))
        self.page.on('websocket', lambda socket: self.requested.append(socket.url))

    def visit(self, address: str = '') -> None:
        """
        Open the page of the robot, or another address of it.

        Returns when the node responds, and the page knows whether the visitor may teach.
        """
        self.page.goto(address or self.place.address)
        facts = self.page.get_by_role('banner').get_by_text(re.compile('^(No model yet|Version)'))
        facts.first.wait_for()
        self.button('Undo').or_(self.page.get_by_text('You are only watching.')).first.wait_for()

    def go(self, screen: str) -> None:
        """Go to a screen: 'Teach', 'Samples', 'Questions' or 'Model'."""
        navigation = self.page.get_by_role('navigation', name='Screens')
        self.press(navigation.get_by_role('link', name=screen))

    def wait_until_loaded(self) -> None:
        """Wait until nothing is being loaded; sockets do not count."""
        self.page.wait_for_load_state('networkidle')

    def button(self, name: str | re.Pattern[str]) -> Any:
        """Return the button of an accessible name."""
        return self.page.get_by_role('button', name=name, exact=isinstance(name, str))

    def press(self, target: Any) -> None:
        """Click an element, or tap it on a phone."""
        if self.is_phone:
            target.tap()
        else:
            target.click()

    @contextlib.contextmanager
    def holding(self, target: Any) -> Iterator[None]:
        """Keep the mouse's button pressed on an element, or a finger."""
        # A trial waits until the element is in sight and no longer moves.
        target.click(trial=True)
        box = target.bounding_box()
        x, y = box['x'] + box['width'] / 2, box['y'] + box['height'] / 2
        if not self.is_phone:
            self.page.mouse.move(x, y)
            self.page.mouse.down()
            yield
            self.page.mouse.up()
            return
        screen = self.context.new_cdp_session(self.page)
        # Playwright taps, and cannot hold.
        touch = {'type': 'touchStart', 'touchPoints': [{'x': x, 'y': y}]}
        screen.send('Input.dispatchTouchEvent', touch)
        yield
        screen.send('Input.dispatchTouchEvent', {'type': 'touchEnd', 'touchPoints': []})
        screen.detach()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for something outside of the browser, while Playwright handles events."""
        wait_until(lambda: self._has_passed(condition))

    def _has_passed(self, condition: Callable[[], bool]) -> bool:
        self.page.wait_for_timeout(20)
        return condition()

    def name_class(self, label: str) -> None:
        """Add a class on the screen 'Teach'."""
        self.press(self.button('New class'))
        dialog = self.page.get_by_role('dialog', name='New class')
        dialog.get_by_label('Name of the class').fill(label)
        self.press(dialog.get_by_role('button', name='Add'))

    def capture(self, label: str, count: int) -> int:
        """
        Hold the button of a class until the page shows some samples more.

        On a busy machine, the browser may be silent for so long that the server ends a hold, and a
        notice may move the button just before it is pressed; like a person, this presses again
        then.

        Returns:
            The number of holds.
        """
        button = self.button(f'Capture {label}')
        wanted = self.samples_of(label) + count
        holds = 0

        def is_pressed() -> bool:
            return bool(button.get_attribute('aria-pressed') == 'true')

        def is_complete() -> bool:
            return self.samples_of(label) >= wanted

        while not is_complete():
            holds += 1
            assert holds < _MOST_HOLDS
            with self.holding(button):
                if any(self._has_passed(is_pressed) for _ in range(_LOOKS)):
                    self.wait_until(lambda: not is_pressed() or is_complete())
        return holds

    def samples_of(self, label: str) -> int:
        """Return the number of samples of a class that the page shows."""
        name = re.compile(rf'^[\d,]+ samples? of {re.escape(label)}$')
        link = self.page.get_by_role('link', name=name)
        if link.count() == 0:
            return 0
        return int(re.sub(r'\D', '', link.get_attribute('aria-label').partition(' ')[0]))

    def headline(self) -> Any:
        """Return what shows the classification of the live picture."""
        return self.page.get_by_role('region', name='Live picture').locator('.headline')

    def document(self, name: str) -> None:
        """
        Write a picture of the page for the documents, if they are asked for.

        Args:
            name: what the picture shows, such as 'teaching_page'.
        """
        if not (folder := os.environ.get(PICTURES)):
            return
        import cv2
        import numpy as np
        from PIL import Image

        self.page.wait_for_timeout(_TRANSITION_MS)
        seen = cv2.imdecode(np.frombuffer(self.page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
        if self.is_phone:
            # The emulated screen has 2.75 pixels for each, which makes large files.
            height, width = self.page.viewport_size['height'], self.page.viewport_size['width']
            seen = cv2.resize(seen, (2 * width, 2 * height), interpolation=cv2.INTER_AREA)
        colours = Image.fromarray(seen[:, :, ::-1]).quantize(192, dither=Image.Dither.NONE)
        device = 'phone' if self.is_phone else 'desktop'
        colours.save(Path(folder) / f'{name}_{device}.png', optimize=True)

    def hosts(self) -> set[str]:
        """Return the hosts that the browser has requested anything from."""
        return {urlsplit(url).netloc for url in self.requested if not url.startswith('data:')}

    def faults(self) -> list[str]:
        """Return what the browser's console has of errors that no page should cause."""
        marks = ('uncaught: ', 'Refused to ', 'Content Security Policy')
        return [line for line in self.console if any(mark in line for mark in marks)]

    def evidence(self, screenshot: Path) -> list[tuple[str, str]]:
        """Return what helps to understand a failure, as titled texts, and take a screenshot."""
        from playwright.sync_api import Error

        screenshot.parent.mkdir(parents=True, exist_ok=True)
        picture = screenshot.with_suffix('.png')
        found = [('console of the browser', '\n'.join(self.console[-_LAST:]))]
        found += [(f'log of {name}', text) for name, text in self.place.logs().items()]
        # A browser that was killed shows nothing.
        with contextlib.suppress(Error):
            self.page.screenshot(path=picture, full_page=True)
            seen = self.page.locator('body').aria_snapshot()
            found += [('screenshot', str(picture)), (f'page {self.page.url}', seen)]
        return found
