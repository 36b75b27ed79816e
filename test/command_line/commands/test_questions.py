# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands that label and dismiss questions."""

from __future__ import annotations

from pathlib import Path
import shutil

from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.store.questions.asking import Asking
from edgetpu_retrain.store.questions.question import Given, Question
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from support.command_line_types import Run

JPEG = b'\xff\xd8\xff\xe0' + bytes(100)


@pytest.fixture
def data(trained_once: Path, tmp_path: Path) -> tuple[object, ...]:
    """Return the options of a folder with three questions, the last without a picture."""
    shutil.copytree(trained_once, tmp_path / 'data')
    about = describe(default_extractor_path().read_bytes())
    kind = EmbeddingKind(about.dimension, about.output_dtype, about.quantization)
    with SampleStore(tmp_path / 'data' / 'samples.db') as samples:
        asking = Asking(samples, about.identity, kind, 0.0)
        for number in (1, 2, 3):
            rng = np.random.default_rng(number)
            embedding = rng.integers(0, 256, about.dimension, np.uint8)
            given = Given('unknown', 0.5), Given('cat', 0.25)
            image = JPEG if number < 3 else None
            question = Question('unknown', 'front', 9, given, 1, embedding, image)
            assert asking.store(question, 50) == number
    return ('--data-dir', tmp_path / 'data')


def test_questions_are_listed(run: Run, data: tuple[object, ...]) -> None:
    listed = run('questions', 'list', '--limit', '2', *data)
    assert listed.out.splitlines() == [
        'question  why      camera  classification          model  picture',
        '3         unknown  front   unknown 0.50, cat 0.25  1      no',
        '2         unknown  front   unknown 0.50, cat 0.25  1      yes',
        '3 questions to label.',
    ]
    found = run('questions', 'list', *data, '--json').result
    assert found['total'] == 3
    assert [each['question_id'] for each in found['questions']] == [3, 2, 1]
    assert found['questions'][0]['given'] == [['unknown', 0.5], ['cat', 0.25]]


def test_questions_are_labelled_dismissed_and_opened_again(
    run: Run, data: tuple[object, ...]
) -> None:
    labelled = run('questions', 'label', 'tiger', '--id', 1, '--id', 2, *data)
    assert labelled.out == "2 questions are labelled 'tiger'.\n"
    assert run('samples', 'list', *data, '--json').result['counts']['tiger'] == 2
    assert run('questions', 'dismiss', '--all', *data, '--json').result == {'changed': 1}
    assert run('questions', 'list', *data).out == '0 questions to label.\n'
    assert run('samples', 'undo', *data).out == 'Undid the dismissal of 1 question.\n'
    undone = run('samples', 'undo', *data)
    assert undone.out == "Undid the labelling of 2 questions as 'tiger'.\n"
    assert run('questions', 'list', *data, '--json').result['total'] == 3
    assert run('questions', 'dismiss', '--id', 3, *data).code == 0
    assert run('samples', 'purge', *data, '--json').result == {'changed': 0, 'questions': 1}


def test_pictures_are_exported(run: Run, data: tuple[object, ...], tmp_path: Path) -> None:
    ended = run('questions', 'export', tmp_path / 'pictures', *data)
    assert ended.out == f'2 pictures are in {tmp_path / "pictures"}.\n'
    assert '1 question has no stored picture' in ended.err
    files = sorted((tmp_path / 'pictures').iterdir())
    assert [each.name for each in files] == ['00000001.jpg', '00000002.jpg']
    assert files[0].read_bytes() == JPEG
    again = run('questions', 'export', tmp_path / 'pictures', *data)
    assert (again.code, 'is there already' in again.problem) == (2, True)


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('label', 'tiger'), 'either --id or --all'),
        (('dismiss', '--id', '1', '--all'), 'either --id or --all'),
        (('label', 'a/b', '--all'), 'a/b'),
        (('label', 'tiger', '--id', '9'), 'no question 9'),
        (('dismiss', '--id', '9'), 'no question 9'),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: tuple[str, ...], words: str, run: Run, data: tuple[object, ...]
) -> None:
    ended = run('questions', *arguments, *data)
    assert (ended.code, words in ended.problem) == (2, True)
    assert run('questions', 'list', *data, '--json').result['total'] == 3


def test_without_questions_there_is_nothing_to_label(run: Run, data: tuple[object, ...]) -> None:
    assert run('questions', 'dismiss', '--all', *data).code == 0
    ended = run('questions', 'label', 'tiger', '--all', *data)
    assert (ended.code, 'there are no questions' in ended.problem) == (2, True)
