# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A robot with two cameras, one of which has no picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.chromium import browser_module
from support.page_robot import PageRobot
from support.visitor import Visitor

expect = browser_module('playwright.sync_api').expect

# Whether the canvas of the live picture has anything drawn on it.
DRAWN = """(canvas) => canvas.getContext('2d')
  .getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value)"""


@pytest.fixture(scope='module')
def robot(
    package_path: str, playwright_and_browser: tuple[Any, Any], tmp_path_factory: Any
) -> Iterator[PageRobot]:
    """Return a robot whose second camera publishes nothing."""
    assert playwright_and_browser
    folder: Path = tmp_path_factory.mktemp('robot')
    cameras = {'cameras': '[camera, arm]', 'arm.image_topic': '/arm/image_raw'}
    with PageRobot(package_path, folder, parameters=cameras) as robot:
        yield robot


def test_a_camera_without_pictures_shows_none_and_another_one_can_be_chosen(
    visitor: Visitor, robot: PageRobot
) -> None:
    robot.show('cat')
    visitor.visit()
    region = visitor.page.get_by_role('region', name='Live picture')
    choice = region.get_by_role('combobox', name='Camera')
    picture = region.get_by_role('img', name='Live picture of camera')
    visitor.wait_until(lambda: picture.evaluate(DRAWN))
    choice.select_option('arm')
    expect(region).to_contain_text('No picture for')
    assert not picture.evaluate(DRAWN)
    # The notice about the missing picture does not lie above it.
    choice.click(trial=True)
    choice.select_option('camera')
    visitor.wait_until(lambda: picture.evaluate(DRAWN))
