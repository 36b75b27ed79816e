# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Questions are listed, shown, labelled and dismissed over HTTP and DDS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.page_api import PageApi
from support.running_node import image_message, pattern

pytestmark = pytest.mark.usefixtures('measured_processes')


def has_questions(least: int) -> Callable[[Any], bool]:
    return lambda found: bool(found['total'] >= least)


@pytest.fixture(scope='module')
def asked(
    package_path: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[PageApi, list[Any]]]:
    """Return the page of a robot that has seen three strangers, and its questions."""
    folder = tmp_path_factory.mktemp('robot')
    with PageApi(package_path, folder, {'max_questions': 50}) as page:
        page.teach('mug', 'bottle')
        assert page.person.train(num_iter=100, learning_rate=0.1)[1].success
        camera = page.person.camera()
        for count in range(1, 4):
            camera.show(image_message(pattern(100 + count)))
            page.wait_for('/api/questions', has_questions(count))
        page.person.close_cameras()
        yield page, page.get('/api/questions').json['questions']


def test_questions_have_their_pictures(asked: tuple[PageApi, list[Any]]) -> None:
    page, questions = asked
    ids = [each['id'] for each in questions]
    assert ids == sorted(ids, reverse=True)
    for each in questions:
        assert each['kind'] in {'unknown', 'margin', 'conflict'}
        assert (each['camera'], each['model_version'], each['has_image']) == ('camera', 1, True)
        assert len(each['labels']) == len(each['scores']) >= 1
        picture = page.get(f'/api/pictures/questions/{each["id"]}.jpg')
        assert (picture.status, picture.body[:3]) == (200, b'\xff\xd8\xff')
    assert page.get('/api/questions?limit=0').json == {'total': len(ids), 'questions': []}
    assert len(page.get('/api/questions?limit=1').json['questions']) == 1


def test_answers_become_samples_and_can_be_undone(asked: tuple[PageApi, list[Any]]) -> None:
    page, questions = asked
    first, second, *_ = [each['id'] for each in questions]
    total = len(questions)
    done = page.post('/api/questions/answer', {'ids': [first], 'label': 'cup'})
    assert (done.status, done.json['questions']) == (200, total - 1), done.json
    assert len(page.ids('cup')) == 1
    done = page.post('/api/questions/answer', {'ids': [second], 'label': ''})
    assert (done.status, done.json['questions']) == (200, total - 2)
    for _ in range(2):
        assert page.post('/api/undo', {}).status == 200
    assert page.ids('cup') == []
    assert page.get('/api/questions').json['questions'] == questions


@pytest.mark.parametrize(
    ('body', 'status', 'words'),
    [
        ({'ids': [10**6], 'label': 'cup'}, 409, '1000000'),
        ({'ids': [1], 'label': '<script>/'}, 409, "'/'"),
        ({'ids': [1]}, 400, 'the field label is missing'),
        ({'label': 'cup'}, 400, 'the field ids is missing'),
        ({'ids': [], 'label': 'cup'}, 400, '1 to 1000'),
        ({'ids': [*range(1, 1002)], 'label': 'cup'}, 400, '1 to 1000'),
        ({'ids': [1], 'label': 'cup', 'all': True}, 400, "no field 'all'"),
    ],
)
def test_what_is_wrong_is_refused(
    asked: tuple[PageApi, list[Any]], body: Any, status: int, words: str
) -> None:
    page, questions = asked
    done = page.post('/api/questions/answer', body)
    assert (done.status, words in done.json['message']) == (status, True), done.json
    assert page.get('/api/questions').json['questions'] == questions
