# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands that manage model versions."""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path
import shutil

from edgetpu_retrain.store.models.choice_file import ChoiceFile
from edgetpu_retrain.store.models.model_store import ModelStore
import pytest
from support.command_line_types import Run
from support.model_robot import MODEL, RECORD


@pytest.fixture
def folder(trained_once: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained_once, tmp_path / 'data')
    return tmp_path / 'data'


def test_listing_and_showing(run: Run, folder: Path) -> None:
    listed = run('models', 'list', '--data-dir', folder, '--json').result
    assert listed['serving'] == 2
    assert [each['version'] for each in listed['models']] == [1, 2]
    shown = run('models', 'show', '1', '--data-dir', folder, '--json').result
    assert shown == listed['models'][0]
    assert shown['labels'] == ['cat', 'coffee', 'coins']
    assert listed['models'][1]['parent_version'] == 1


@pytest.mark.parametrize(
    ('unit', 'words'),
    [
        ('recordings', 'recordings'),
        ('blocks', 'blocks (taught in one go: these figures say nothing about another day)'),
        ('', '-'),
    ],
)
def test_the_figures_say_what_was_held_out(
    unit: str, words: str, run: Run, tmp_path: Path
) -> None:
    models = ModelStore(tmp_path / 'models')
    models.save(MODEL, replace(RECORD, held_out_unit=unit))
    shown = run('models', 'show', '--data-dir', tmp_path).out.splitlines()
    assert f'held out:           {words}' in shown
    table = run('models', 'list', '--data-dir', tmp_path).out.splitlines()
    assert table[1].split()[7:9] == [unit or '-', '100.0']


def test_a_node_starts_with_the_chosen_version(run: Run, folder: Path) -> None:
    choice = ChoiceFile(ModelStore(folder / 'models'))
    assert choice.current() is None
    assert run('models', 'use', '1', '--data-dir', folder, '--json').result['serving'] == 1
    serving = choice.current()
    assert serving is not None
    assert (serving.version, serving.swaps) == (1, 1)
    assert choice.versions_to_try()[0] == 1
    assert run('models', 'use', '2', '--data-dir', folder).code == 0
    assert run('models', 'rollback', '--data-dir', folder, '--json').result == {
        'serving': 1,
        'swaps': 3,
    }
    ended = run('models', 'rollback', '--data-dir', folder)
    assert (ended.code, 'before 1' in ended.problem) == (2, True)
    chosen = choice.current()
    # A training afterwards is not chosen, but newer than the choice: a node starts with it.
    assert run('train', '--data-dir', folder).code == 0
    assert choice.current() == chosen
    assert choice.versions_to_try()[0] == 3


def test_a_damaged_version_can_be_replaced_by_another(run: Run, folder: Path) -> None:
    assert run('models', 'use', '2', '--data-dir', folder).code == 0
    (folder / 'models' / 'model_000002.tflite').write_bytes(b'damaged')
    assert run('models', 'use', '1', '--data-dir', folder, '--json').result['serving'] == 1


def test_exporting(run: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out'
    ended = run('models', 'export', out, '--version', '1', '--data-dir', folder, '--json')
    assert ended.result['model_version'] == 1
    assert (out / 'labels.txt').read_bytes() == b'0 cat\n1 coffee\n2 coins\n'
    model = (folder / 'models' / 'model_000001.tflite').read_bytes()
    assert (out / 'model.tflite').read_bytes() == model
    ended = run('models', 'export', out, '--data-dir', folder)
    assert (ended.code, 'already' in ended.problem) == (2, True)
    assert run('models', 'export', out, '--force', '--data-dir', folder).code == 0
    assert (out / 'model.tflite').read_bytes() != model


def test_missing_and_damaged_versions(run: Run, folder: Path, tmp_path: Path) -> None:
    for command in (('show', '9'), ('use', '9'), ('export', tmp_path / 'x', '--version', '9')):
        ended = run('models', *command, '--data-dir', folder)
        assert ended.code == 2
        assert 'no model version 9' in ended.problem
    (folder / 'models' / 'model_000002.tflite').write_bytes(b'damaged')
    listed = run('models', 'list', '--data-dir', folder, '--json')
    assert [each['version'] for each in listed.result['models']] == [1]
    assert listed.result['serving'] == 1
    assert 'is not the file that was written' in listed.err
    assert run('models', 'use', '2', '--data-dir', folder).code == 1
    (folder / 'models' / 'model_000001.tflite').write_bytes(b'damaged')
    for subcommand in ('show', 'rollback'):
        ended = run('models', subcommand, '--data-dir', folder)
        assert (ended.code, 'is not the file that was written' in ended.problem) == (1, True)
    (tmp_path / 'empty').mkdir()
    empty = run('models', 'list', '--data-dir', tmp_path / 'empty', '--json')
    assert json.loads(empty.out) == {'serving': 0, 'models': []}
    ended = run('models', 'show', '--data-dir', tmp_path / 'empty')
    assert (ended.code, 'no trained model' in ended.problem) == (2, True)
