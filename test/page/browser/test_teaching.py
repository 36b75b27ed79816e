# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""From an empty robot to a model in use, by hand: the tests of a device follow each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import re
from typing import Any

from edgetpu_retrain.client import RetrainClientError
import pytest
from support.chromium import browser_module
from support.page_robot import PageRobot
from support.visitor import Visitor

expect = browser_module('playwright.sync_api').expect

BACKGROUND = 'background'
CLASSES = ('cat', 'coffee', 'rocket')
SAMPLES = 6

# The most that the node accepts; they take many minutes.
ENDLESS = 1_000_000


@pytest.fixture(scope='module')
def robot(
    package_path: str,
    device: str,
    playwright_and_browser: tuple[Any, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[PageRobot]:
    """Return an empty robot for each device."""
    assert playwright_and_browser
    folder: Path = tmp_path_factory.mktemp(device)
    with PageRobot(package_path, folder) as robot:
        yield robot


def test_three_classes_and_the_background_are_taught_by_holding_buttons(
    visitor: Visitor, robot: PageRobot
) -> None:
    visitor.visit()
    step = visitor.page.get_by_role('heading', name=re.compile('Step [123] of 3'))
    expect(step).to_have_text('Step 1 of 3: Show the background')
    robot.show(BACKGROUND)
    holds = visitor.capture(BACKGROUND, SAMPLES)
    expect(step).to_have_text('Step 2 of 3: Teach two things')
    for label in CLASSES:
        visitor.name_class(label)
        robot.show(label)
        holds += visitor.capture(label, SAMPLES)
    expect(step).to_have_text('Step 3 of 3: Train')
    counts = robot.client.list_samples()
    assert list(counts) == [BACKGROUND, *CLASSES]
    assert min(counts.values()) >= SAMPLES
    # A hold is a recording.
    recordings = {each.recording for each in robot.client.newest_samples(1000)}
    assert len(counts) <= len(recordings) <= holds

    visitor.press(visitor.button('Train'))
    expect(visitor.page.get_by_text('Version 1 is in use')).to_be_visible()
    for label in reversed(CLASSES):
        robot.show(label)
        expect(visitor.headline()).to_contain_text(label)
    visitor.document('teaching_page')


def test_a_wrong_label_is_corrected_in_the_grid(visitor: Visitor, robot: PageRobot) -> None:
    robot.teach('coffee', 1, label='cat')
    (wrong,) = robot.client.newest_samples(1)
    before = robot.client.list_samples()
    visitor.visit()
    visitor.go('Samples')
    classes = visitor.page.get_by_role('navigation', name='Classes')
    visitor.press(classes.get_by_role('link', name='cat'))
    tile = visitor.page.get_by_role('option', name=f'cat, sample {wrong.id}')
    visitor.press(tile)
    expect(tile).to_have_attribute('aria-selected', 'true')
    visitor.press(visitor.button('Label'))
    dialog = visitor.page.get_by_role('dialog', name='Label 1 picture as')
    visitor.press(dialog.get_by_role('button', name='coffee'))
    expect(tile).to_have_count(0)
    moved = {'cat': before['cat'] - 1, 'coffee': before['coffee'] + 1}
    # The page shows a change before the node has made it.
    visitor.wait_until(lambda: robot.client.list_samples() == {**before, **moved})

    toolbar = visitor.page.get_by_role('banner')
    visitor.press(toolbar.get_by_role('button', name='Undo'))
    expect(tile).to_have_count(1)
    visitor.wait_until(lambda: robot.client.list_samples() == before)
    visitor.press(toolbar.get_by_role('button', name='Redo'))
    expect(tile).to_have_count(0)
    visitor.wait_until(lambda: robot.client.list_samples() == {**before, **moved})


def test_a_training_is_cancelled_and_the_next_one_can_be_rolled_back(
    visitor: Visitor, robot: PageRobot
) -> None:
    visitor.visit()
    visitor.go('Model')
    robot.client.set_parameter('num_iter', ENDLESS)
    visitor.press(visitor.button('Train'))
    expect(visitor.page.get_by_role('progressbar', name='Training')).to_be_visible()
    expect(visitor.page.get_by_text(re.compile('^Loss '))).to_be_visible()
    visitor.press(visitor.button('Cancel the training'))
    expect(visitor.page.get_by_text('The training was cancelled.')).to_be_visible()
    assert robot.client.status.model_version == 1

    robot.client.set_parameter('num_iter', 0)
    visitor.press(visitor.button('Train'))
    versions = visitor.page.get_by_role('region', name='Versions')
    in_use = versions.get_by_role('listitem').filter(has_text='In use')
    expect(in_use).to_contain_text('Version 2')
    visitor.press(visitor.button('Use version 1'))
    expect(in_use).to_contain_text('Version 1')
    expect(visitor.headline() if not visitor.is_phone else in_use).to_contain_text('Version 1')
    visitor.wait_until(lambda: robot.client.status.model_version == 1)


def test_a_training_of_another_program_has_a_curve_and_can_be_cancelled(
    visitor: Visitor, robot: PageRobot
) -> None:
    visitor.visit()
    visitor.go('Model')
    training = robot.client.train(num_iter=ENDLESS)
    expect(visitor.page.get_by_text(re.compile('^Loss '))).to_be_visible()
    visitor.press(visitor.button('Cancel the training'))
    expect(visitor.page.get_by_text('The training was cancelled.')).to_be_visible()
    with pytest.raises(RetrainClientError, match='cancelled'):
        training.result()
