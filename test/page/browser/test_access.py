# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Who may: the page in a network, for teachers, observers and strangers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import re
from typing import Any

import pytest
from support.chromium import browser_module
from support.page_robot import PageRobot
from support.visitor import Visitor
from support.waiting import PATIENCE_S

expect = browser_module('playwright.sync_api').expect


@pytest.fixture(scope='module')
def robot(
    package_path: str,
    playwright_and_browser: tuple[Any, Any],
    photographs: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[PageRobot]:
    """Return a robot that serves its page to a network."""
    assert playwright_and_browser
    folder = tmp_path_factory.mktemp('robot')
    options = ('--lan', '--host', '127.0.0.1')
    with PageRobot(package_path, folder, photographs, options=options) as robot:
        yield robot


@pytest.fixture(autouse=True)
def new_tokens(robot: PageRobot) -> None:
    """Start the server again: each token lets one browser in."""
    robot.page.end()
    robot.start_page()


def test_an_observer_sees_everything_and_can_change_nothing(
    visitor: Visitor, robot: PageRobot
) -> None:
    robot.show('cat')
    visitor.visit(robot.page.entrance('observer'))
    expect(visitor.page.get_by_text('You are only watching.')).to_be_visible()
    expect(visitor.headline()).to_contain_text('cat')
    expect(visitor.page.get_by_role('link', name=re.compile('samples of cat$'))).to_be_visible()
    acting = ('Capture cat', 'New class', 'Train', 'Undo', 'Label', 'Use version 1', 'Check now')
    for screen in ('Teach', 'Samples', 'Questions', 'Model'):
        visitor.go(screen)
        expect(visitor.page.get_by_role('main').get_by_role('region', name=screen)).to_be_visible()
        for name in acting:
            expect(visitor.button(name)).to_have_count(0)
    # Whatever the page shows, the server refuses.
    status = visitor.page.evaluate(
        "fetch('/api/train', {method: 'POST', body: '{}',"
        " headers: {'Content-Type': 'application/json'}}).then((it) => it.status)"
    )
    assert status == 403
    assert not robot.client.status.training


def test_a_teacher_enters_by_the_address_for_one_browser(
    visitor: Visitor, robot: PageRobot
) -> None:
    address = robot.page.entrance('teacher')
    robot.show('cat')
    visitor.visit(address)
    visitor.capture('cat', 1)
    # The address is not in the history, and opens no second browser.
    assert 'token' not in visitor.page.url
    stranger = visitor.context.browser.new_page()
    stranger.set_default_timeout(1000 * PATIENCE_S)
    response = stranger.goto(address)
    assert response is not None
    assert response.status == 403
    expect(stranger.locator('body')).to_contain_text('address')
    response = stranger.goto(robot.address)
    assert response is not None
    assert response.status == 401
    stranger.close()
