# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The page says what it has lost, and goes on by itself when that is back."""

from __future__ import annotations

from pathlib import Path
import signal

import pytest
from support.chromium import browser_module
from support.page_robot import PageRobot
from support.visitor import Visitor

expect = browser_module('playwright.sync_api').expect


@pytest.fixture(scope='module')
def taught(photographs: Path) -> Path:
    return photographs


def test_the_page_goes_on_after_its_server_was_away(visitor: Visitor, robot: PageRobot) -> None:
    robot.show('cat')
    visitor.visit()
    expect(visitor.headline()).to_contain_text('cat')
    port = robot.page.port
    robot.page.end(signal.SIGKILL)
    lost = visitor.page.get_by_role('alert').filter(has_text='Connection to the robot lost')
    expect(lost).to_be_visible()
    # The last picture is no longer what the robot sees.
    picture = visitor.page.get_by_role('region', name='Live picture')
    expect(picture).to_contain_text('No connection to the robot.')
    robot.show('coffee')
    robot.start_page(port)
    expect(lost).to_have_count(0)
    expect(visitor.headline()).to_contain_text('coffee')
    robot.show('cat')
    visitor.capture('cat', 1)


def test_the_page_goes_on_after_the_node_was_away(visitor: Visitor, robot: PageRobot) -> None:
    robot.show('coffee')
    visitor.visit()
    expect(visitor.headline()).to_contain_text('coffee')
    robot.node.end()
    lost = visitor.page.get_by_role('alert').filter(has_text='The node does not respond')
    expect(lost).to_be_visible()
    visitor.press(visitor.button('Undo'))
    error = visitor.page.get_by_role('alert', name='Errors')
    expect(error).to_contain_text('is not running')
    banner, notice = lost.bounding_box(), error.bounding_box()
    assert notice['y'] >= banner['y'] + banner['height']
    robot.start_node()
    expect(lost).to_have_count(0)
    robot.show('cat')
    expect(visitor.headline()).to_contain_text('cat')
    visitor.capture('cat', 1)


def test_a_screen_that_failed_while_the_node_was_away_loads_when_it_is_back(
    visitor: Visitor, robot: PageRobot
) -> None:
    visitor.visit()
    # Its status is the same before and after.
    robot.node.process.send_signal(signal.SIGSTOP)
    lost = visitor.page.get_by_role('alert').filter(has_text='The node does not respond')
    expect(lost).to_be_visible()
    visitor.go('Samples')
    failed = visitor.page.get_by_text('is not running: start it')
    expect(failed).to_be_visible()
    robot.node.process.send_signal(signal.SIGCONT)
    expect(failed).to_have_count(0)
    grid = visitor.page.get_by_role('listbox', name='Samples of all classes')
    expect(grid).to_be_visible()


def test_a_thumbnail_that_failed_while_the_node_was_away_loads_when_it_is_back(
    visitor: Visitor, robot: PageRobot
) -> None:
    robot.teach('cat', 1)
    thumbnails = '**/api/pictures/samples/*.jpg'
    visitor.page.route(thumbnails, lambda route: route.fulfill(status=503))
    visitor.visit()
    visitor.go('Samples')
    grid = visitor.page.get_by_role('listbox', name='Samples of all classes')
    expect(grid.get_by_text('No picture').first).to_be_visible()
    robot.node.process.send_signal(signal.SIGSTOP)
    lost = visitor.page.get_by_role('alert').filter(has_text='The node does not respond')
    expect(lost).to_be_visible()
    visitor.page.unroute(thumbnails)
    robot.node.process.send_signal(signal.SIGCONT)
    expect(lost).to_have_count(0)
    expect(grid.get_by_text('No picture')).to_have_count(0)
    visitor.wait_until(lambda: grid.locator('img').first.evaluate('image => image.naturalWidth'))
