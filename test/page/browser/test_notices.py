# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Notices can be read and used while a modal dialog is open, which makes the page inert."""

from __future__ import annotations

from pathlib import Path
import re

import pytest
from support.chromium import browser_module
from support.page_robot import PageRobot
from support.visitor import Visitor

expect = browser_module('playwright.sync_api').expect


@pytest.fixture(scope='module')
def taught(photographs: Path) -> Path:
    return photographs


def test_a_correction_in_a_dialog_is_undone_there(visitor: Visitor, robot: PageRobot) -> None:
    before = robot.client.list_samples()
    visitor.visit()
    visitor.go('Model')
    visitor.press(visitor.button(re.compile('^Check (the samples|again)$')))
    cat = visitor.button(re.compile('^cat as cat: '))
    expect(cat).to_be_visible()
    expect(visitor.page.get_by_role('heading', name='With more samples')).to_be_visible()
    visitor.press(cat)
    cell = visitor.page.get_by_role('dialog')
    expect(cell).to_have_count(1)
    visitor.press(cell.get_by_role('option').first)
    visitor.press(cell.get_by_role('button', name='Label'))
    labels = visitor.page.get_by_role('dialog').last
    expect(labels.get_by_label('Another class')).to_be_visible()
    visitor.press(labels.get_by_role('button', name='coffee'))
    notice = cell.get_by_role('status', name='Messages')
    expect(notice).to_contain_text('1 sample labelled')
    undo = notice.get_by_role('button', name='Undo')
    undo.focus()
    expect(undo).to_be_focused()
    visitor.press(undo)
    expect(notice).to_contain_text('Undid')
    visitor.page.keyboard.press('Escape')
    expect(cell).to_have_count(0)
    expect(visitor.page.get_by_role('status', name='Messages')).to_contain_text('Undid')
    if not visitor.is_phone:
        # It is below the picture, where it hides nothing that can be pressed.
        notice = visitor.page.get_by_role('status', name='Messages').bounding_box()
        main = visitor.page.get_by_role('main').bounding_box()
        assert notice['x'] + notice['width'] <= main['x']
    visitor.wait_until(lambda: robot.client.list_samples() == before)
