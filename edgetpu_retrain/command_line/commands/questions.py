# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands of `questions`: list, label, dismiss and export frames that wait for a label."""

from __future__ import annotations

from collections.abc import Callable
import dataclasses
from pathlib import Path

import click
from edgetpu_retrain.command_line import options, workspace
from edgetpu_retrain.command_line.output import emit, table, warn
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.store.files.disk_errors import store_error
from edgetpu_retrain.store.questions.question_store import QuestionStore
from edgetpu_retrain.wording import counted


def _which_questions(command: options.Command) -> options.Command:
    """Add the options that select questions."""
    for option in (
        options.data_dir_and_json,
        options.extractor,
        click.option('--all', 'everything', is_flag=True, help='All questions.'),
        click.option('--id', 'ids', type=int, multiple=True, help='A question; repeatable.'),
    ):
        command = option(command)
    return command


@click.group()
def questions() -> None:
    """Label or dismiss the frames that the node was unsure about."""


@questions.command(name='list')
@click.option(
    '--limit',
    type=click.IntRange(min=0),
    default=0,
    help='Only this many, the newest ones.  [default: all]',
)
@options.extractor
@options.data_dir_and_json
def list_questions(limit: int, extractor: options.NamedModel, data_dir: str) -> None:
    """List the questions, newest first, with the classification of each."""
    identity = workspace.identity_of(extractor, data_dir)
    with workspace.open_samples(data_dir) as store:
        found = QuestionStore(store)
        listed = found.list_questions(limit, extractor=identity)
        total = found.count(extractor=identity)
    rows = [
        (
            each.question_id,
            each.kind,
            each.camera,
            ', '.join(f'{label} {score:.2f}' for label, score in each.given),
            each.model_version,
            'yes' if each.has_image else 'no',
        )
        for each in listed
    ]
    lines = table(('question', 'why', 'camera', 'classification', 'model', 'picture'), rows)
    emit(
        {'total': total, 'questions': [dataclasses.asdict(each) for each in listed]},
        *(lines if rows else ()),
        f'{counted(total, "question", "questions")} to label.',
    )


@questions.command()
@click.argument('new_label', metavar='LABEL')
@_which_questions
def label(
    new_label: str,
    ids: tuple[int, ...],
    everything: bool,
    extractor: options.NamedModel,
    data_dir: str,
) -> None:
    """Turn questions into samples of the class LABEL; `samples undo` opens them again."""
    _close(
        lambda store, chosen: store.answer(chosen, new_label),
        f'labelled {new_label!r}',
        ids,
        everything,
        extractor,
        data_dir,
    )


@questions.command()
@_which_questions
def dismiss(
    ids: tuple[int, ...], everything: bool, extractor: options.NamedModel, data_dir: str
) -> None:
    """
    Close questions without a label; `samples undo` opens them again.

    `samples purge` without options erases dismissed questions.
    """
    _close(QuestionStore.dismiss, 'dismissed', ids, everything, extractor, data_dir)


@questions.command()
@click.argument('target', type=options.PATH, metavar='FOLDER')
@options.extractor
@options.data_dir_and_json
def export(target: Path, extractor: options.NamedModel, data_dir: str) -> None:
    """
    Write the pictures of all questions to FOLDER, which must be new or empty.

    The name of a file is the number of its question.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise RequestError(f'{target} is there already: give a folder that is new or empty')
    identity = workspace.identity_of(extractor, data_dir)
    written, left_out = [], 0
    with workspace.open_samples(data_dir) as store:
        found = QuestionStore(store)
        try:
            target.mkdir(parents=True, exist_ok=True)
            for each in reversed(found.list_questions(0, extractor=identity)):
                jpeg = found.picture(each.question_id)
                if jpeg is None:
                    left_out += 1
                    continue
                written.append(each.question_id)
                with (target / f'{each.question_id:08d}.jpg').open('xb') as file:
                    file.write(jpeg)
        except OSError as error:
            raise store_error('write the pictures to', target, error) from error
    if left_out:
        warn(f'{counted(left_out, "question has", "questions have")} no stored picture')
    emit(
        {'written': str(target), 'questions': written},
        f'{counted(len(written), "picture is", "pictures are")} in {target}.',
    )


def _close(
    close: Callable[[QuestionStore, list[int]], int],
    how: str,
    ids: tuple[int, ...],
    everything: bool,
    extractor: options.NamedModel,
    data_dir: str,
) -> None:
    """Label or dismiss the questions that the options select, and print how many."""
    if bool(ids) == everything:
        raise click.UsageError('Give either --id or --all.')
    with workspace.open_samples(data_dir) as store:
        found = QuestionStore(store)
        chosen = list(ids)
        if everything:
            identity = workspace.identity_of(extractor, data_dir)
            chosen = [each.question_id for each in found.list_questions(0, extractor=identity)]
        if not chosen:
            raise RequestError('there are no questions')
        closed = close(found, chosen)
    emit({'changed': closed}, f'{counted(closed, "question is", "questions are")} {how}.')
