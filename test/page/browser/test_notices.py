# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Notices can be read and used while a modal dialog is open, which makes the page inert.

A screen reader announces each once, although it moves when a dialog opens or closes.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
import re
from typing import Any

import pytest
from support.announcements import announced, listen
from support.chromium import browser_module
from support.page_robot import PageRobot
from support.visitor import Visitor

expect = browser_module('playwright.sync_api').expect


def fulfilled(answer: dict[str, Any], route: Any) -> None:
    route.fulfill(**answer)


@pytest.fixture(scope='module')
def taught(photographs: Path) -> Path:
    return photographs


def test_a_correction_in_a_dialog_is_undone_there(visitor: Visitor, robot: PageRobot) -> None:
    before = robot.client.list_samples()
    listen(visitor.context)
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
    moved = visitor.page.locator('.shell > .toasts')
    expect(moved).to_contain_text('Undid')
    if not visitor.is_phone:
        # It is below the picture, where it hides nothing that can be pressed.
        notice = moved.bounding_box()
        main = visitor.page.get_by_role('main').bounding_box()
        assert notice['x'] + notice['width'] <= main['x']
    visitor.wait_until(lambda: robot.client.list_samples() == before)
    for words in ('1 sample labelled', 'Undid'):
        assert len(announced(visitor.page, words)) == 1


def test_errors_that_move_between_page_and_dialog_are_announced_once(visitor: Visitor) -> None:
    listen(visitor.context)
    visitor.visit()
    problems = {'Undo': 'There is no undo.', 'Redo': 'There is no redo.'}
    errors = visitor.page.get_by_role('alert', name='Errors')
    for name, message in problems.items():
        answer = {'status': 409, 'json': {'message': message}}
        visitor.page.route(f'**/api/{name.lower()}', partial(fulfilled, answer))
        visitor.press(visitor.button(name))
        expect(errors).to_contain_text(message)
    moved = visitor.page.locator('.shell > .toasts')
    for _ in range(2):
        visitor.press(visitor.button('New class'))
        dialog = visitor.page.get_by_role('dialog', name='New class')
        expect(dialog.locator('.toast')).to_have_count(len(problems))
        visitor.page.keyboard.press('Escape')
        expect(dialog).to_have_count(0)
        expect(moved.locator('.toast')).to_have_count(len(problems))
    for message in problems.values():
        assert len(announced(visitor.page, message)) == 1
        expect(moved).to_contain_text(message)
