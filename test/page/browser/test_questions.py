# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The robot asks about what it does not recognize, and a person answers with keys."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
import re
from typing import Any

from edgetpu_retrain.store.questions.fleet_questions import FleetQuestions
from edgetpu_retrain.store.questions.question import Given, Question
from edgetpu_retrain.store.questions.question_store import QuestionStore
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.sample_store import SampleStore
import pytest
from support.announcements import announced, listen
from support.chromium import browser_module
from support.page_robot import PageRobot
from support.visitor import DEVICES, Visitor

expect = browser_module('playwright.sync_api').expect

QUESTIONS = 10
# Open again for the test of the grid.
UNDONE = 2
UNKNOWN = ('rocket', 'coins', 'astronaut', 'photographer')


@pytest.fixture(scope='module')
def robot(
    package_path: str,
    playwright_and_browser: tuple[Any, Any],
    photographs: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[PageRobot]:
    """Return a robot that has seen things which it was not taught."""
    assert playwright_and_browser
    parameters = {'max_questions': 50}
    folder = tmp_path_factory.mktemp('robot')
    with PageRobot(package_path, folder, photographs, parameters) as robot:
        wanted = QUESTIONS * len(DEVICES)
        robot.show_in_turn(UNKNOWN, lambda: robot.client.status.questions >= wanted)
        robot.client.set_parameter('camera.active', False)
        yield robot


def has_questions(robot: PageRobot, count: int) -> bool:
    """Return whether the robot has as many questions."""
    return len(robot.client.list_questions()) == count


def test_an_answer_in_a_dialog_is_announced_once(visitor: Visitor, robot: PageRobot) -> None:
    asked = len(robot.client.list_questions())
    listen(visitor.context)
    visitor.visit()
    visitor.go('Questions')
    question = visitor.page.get_by_role('article', name='Question')
    visitor.press(question.get_by_role('button', name='New class'))
    # The dialog closes in the moment of the announcement.
    dialog = visitor.page.get_by_role('dialog', name='What is it?')
    dialog.get_by_label('Name of the class').fill('zebra')
    visitor.press(dialog.get_by_role('button', name='Label'))
    expect(dialog).to_have_count(0)
    visitor.wait_until(partial(has_questions, robot, asked - 1))
    left = f'zebra. {asked - 1} questions left.'
    announcements = visitor.page.get_by_role('status', name='Announcements')
    expect(announcements).to_have_text(left)
    assert announced(visitor.page, left) == [left]
    visitor.page.keyboard.press('z')
    visitor.wait_until(partial(has_questions, robot, asked))


def test_ten_questions_are_answered_with_one_key_each(visitor: Visitor, robot: PageRobot) -> None:
    visitor.visit()
    visitor.go('Questions')
    before = robot.client.list_samples()
    asked = len(robot.client.list_questions())
    question = visitor.page.get_by_role('article', name='Question')
    expect(question.get_by_role('img', name='What the robot saw')).to_be_visible()
    heading = visitor.page.get_by_role('heading', name=re.compile(r'^\d+ questions?$'))
    keys = '1230123012'[:QUESTIONS]  # background, cat, coffee, dismiss
    for number, key in enumerate(keys, 1):
        visitor.page.keyboard.press(key)
        left = asked - number
        if left:
            expect(heading).to_have_text(re.compile(rf'^{left} questions?$'))
    visitor.wait_until(lambda: len(robot.client.list_questions()) == asked - QUESTIONS)
    after = robot.client.list_samples()
    added = [after[label] - before[label] for label in ('background', 'cat', 'coffee')]
    assert added == [keys.count(key) for key in '123']

    for undone in range(1, UNDONE + 1):
        visitor.page.keyboard.press('z')
        left = asked - QUESTIONS + undone
        expect(heading).to_have_text(re.compile(rf'^{left} questions?$'))
        visitor.wait_until(partial(has_questions, robot, left))


def test_questions_are_selected_and_dismissed_at_once(visitor: Visitor, robot: PageRobot) -> None:
    asked = len(robot.client.list_questions())
    visitor.visit()
    visitor.go('Questions')
    view = visitor.page.get_by_role('group', name='View')
    visitor.press(view.get_by_role('button', pressed=False))
    expect(visitor.page.get_by_text('Select pictures to answer them')).to_be_visible()
    for number in range(UNDONE):
        visitor.press(visitor.page.get_by_role('option').nth(number))
    expect(visitor.page.get_by_role('option', selected=True)).to_have_count(UNDONE)
    visitor.press(visitor.button('Dismiss'))
    expect(visitor.page.get_by_role('option')).to_have_count(asked - UNDONE)
    # The page shows a change before the node has made it.
    visitor.wait_until(lambda: len(robot.client.list_questions()) == asked - UNDONE)


def test_samples_of_the_fleet_are_asked_about_and_answered(
    visitor: Visitor, robot: PageRobot
) -> None:
    with SampleStore(robot.data_dir / 'samples.db') as samples:
        ((identity, kind),) = kinds(samples).items()
        fleet = FleetQuestions(samples, identity, kind)
        fleet.change(fleet.open_ids(), [])
        embedding = samples.training_set(extractor=identity).embeddings[0]
        claims = Given('samovar', 0.5), Given('cat', 0.5)
        proposal = Question('proposal', 'robot1 / robot2', 0, claims, 0, embedding)
        # Beside a frame, so that the page offers a choice between the two.
        frame = Question('margin', 'camera', 0, claims, 1, embedding)
        _, asked_about_frame = fleet.change([], [proposal, frame])
        samples_before = robot.client.list_samples().get('samovar', 0)

        visitor.visit()
        visitor.go('Questions')
        origin = visitor.page.get_by_role('group', name='From')
        visitor.press(origin.get_by_role('button', name='Fleet'))
        heading = visitor.page.get_by_role('heading', name=re.compile(r'^\d+ questions?$'))
        expect(heading).to_have_text('1 question')
        question = visitor.page.get_by_role('article', name='Question')
        expect(question).to_contain_text('No picture')
        # Labels are isolated, because they may be written from right to left.
        expect(question).to_contain_text(
            re.compile(r'samovar\S*” \(robot1\), “\S*cat\S*” \(robot2\)')
        )
        # It is no class of this robot yet.
        visitor.press(question.get_by_role('button', name='samovar'))
        visitor.wait_until(lambda: not fleet.open_ids())
        taught = samples_before + 1
        visitor.wait_until(lambda: robot.client.list_samples().get('samovar', 0) == taught)
        expect(origin).to_have_count(0)
        QuestionStore(samples).dismiss([asked_about_frame])


def kinds(samples: SampleStore) -> dict[str, EmbeddingKind]:
    with samples.snapshot() as snapshot:
        return snapshot.kinds()
