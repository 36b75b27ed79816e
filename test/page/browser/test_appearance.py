# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What every screen has in common: accessible, small, and all labels are text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from support.chromium import browser_module
from support.page_robot import PageRobot
from support.visitor import Visitor

expect = browser_module('playwright.sync_api').expect
axe = browser_module('axe_playwright_python.sync_playwright')

MOST_BYTES = 150_000
SCREENS = ('Teach', 'Samples', 'Questions', 'Model')
HOSTILE = '<img src=x onerror="document.title=1"><b>bold'


@pytest.fixture(scope='module')
def robot(
    package_path: str,
    playwright_and_browser: tuple[Any, Any],
    photographs: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[PageRobot]:
    """Return a robot with a class of a hostile name, in all of its screens."""
    assert playwright_and_browser
    folder = tmp_path_factory.mktemp('robot')
    with PageRobot(package_path, folder, photographs, {'max_questions': 50}) as robot:
        robot.show_in_turn(('rocket', 'coins'), lambda: robot.client.status.questions >= 2)
        robot.teach('astronaut', 6, label=HOSTILE)
        robot.client.train().result()
        robot.show('astronaut')
        yield robot


def serious_findings(visitor: Visitor) -> list[str]:
    """Return what axe-core finds, in the light and the dark scheme."""
    found = []
    for scheme in ('light', 'dark'):
        visitor.page.emulate_media(color_scheme=scheme)
        for each in axe.Axe().run(visitor.page).response['violations']:
            if each['impact'] in {'serious', 'critical'}:
                nodes = [node['html'] for node in each['nodes']]
                found.append(f'{scheme}: {each["help"]}: {nodes}')
    return found


@pytest.mark.parametrize('screen', SCREENS)
def test_axe_has_no_serious_finding(visitor: Visitor, screen: str) -> None:
    visitor.visit()
    visitor.go(screen)
    visitor.wait_until_loaded()
    assert serious_findings(visitor) == []


def test_axe_has_no_serious_finding_in_dialogs(visitor: Visitor) -> None:
    visitor.visit()
    visitor.press(visitor.button('New class'))
    expect(visitor.page.get_by_role('dialog', name='New class')).to_be_visible()
    assert serious_findings(visitor) == []
    visitor.page.keyboard.press('Escape')
    visitor.go('Samples')
    visitor.press(visitor.page.get_by_role('option').first)
    visitor.press(visitor.button('Label'))
    expect(visitor.page.get_by_role('dialog', name='Label 1 picture as')).to_be_visible()
    assert serious_findings(visitor) == []


def test_a_class_and_its_buttons_are_in_one_line_of_a_narrow_phone(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({'width': 360, 'height': 680})
    visitor.visit()
    visitor.go('Samples')
    visitor.press(visitor.page.get_by_role('navigation', name='Classes').get_by_text('cat'))

    def are_in_one_line() -> bool:
        boxes = [visitor.button(name).bounding_box() for name in ('Rename', 'Delete class')]
        return bool(boxes[0]['y'] == boxes[1]['y'])

    # A notice may move the buttons between the two measurements.
    visitor.wait_until(are_in_one_line)


def test_labels_are_text(visitor: Visitor) -> None:
    visitor.visit()
    expect(visitor.headline()).to_contain_text(HOSTILE)
    for screen in SCREENS:
        visitor.go(screen)
        visitor.wait_until_loaded()
        expect(visitor.page.get_by_role('main').get_by_text(HOSTILE).first).to_be_visible()
    assert visitor.page.locator('img[src=x]').count() == 0
    assert visitor.page.get_by_text('bold', exact=True).count() == 0
    assert visitor.page.title() != '1'


def test_the_page_without_pictures_is_small_and_from_this_robot_only(
    visitor: Visitor, robot: PageRobot
) -> None:
    requests: list[tuple[str, Any]] = []
    visitor.page.on('response', lambda each: requests.append((each.url, each.request)))
    visitor.visit()
    expect(visitor.headline()).to_be_visible()
    for screen in SCREENS:
        visitor.go(screen)
    visitor.wait_until_loaded()
    page = {
        url: request.sizes()['responseBodySize'] for url, request in requests if '/api/' not in url
    }
    assert page[f'{robot.address}/'] > 0
    assert sum(page.values()) <= MOST_BYTES, page
    # What other tests check at their end.
    assert visitor.hosts() == {urlsplit(robot.address).netloc}
