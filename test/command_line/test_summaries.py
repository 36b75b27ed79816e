# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The last line of a command says how many pictures were found, used and left out, and why."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.bags import image, photographs, png, write_bag
from support.command_line_types import Ended, Run, TEACH_ALL

TOPIC = '/camera/image_raw'


def last_line(ended: Ended) -> str:
    assert ended.code == 0, ended.err
    return ended.err.splitlines()[-1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of classes with all that is left out."""
    rgb = photographs('cat', 3)
    for name, content in (
        ('cat/1.png', png(rgb[0])),
        ('cat/session1/2.png', png(rgb[1])),
        ('cat/session2/broken.png', b'hello'),
        ('coins /1.png', png(rgb[2])),
        ('unknown/1.png', png(rgb[2])),
        ('loose.png', png(rgb[2])),
        ('cat/Thumbs.db', b'x'),
        ('cat/@eaDir/1.png', png(rgb[0])),
    ):
        path = tmp_path / 'folder' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / 'folder'


def test_teach_a_folder(run: Run, folder: Path, tmp_path: Path) -> None:
    ended = run(*TEACH_ALL, folder, '--data-dir', tmp_path / 'data', '--json')
    assert last_line(ended) == (
        '6 pictures found, 3 stored, 3 left out (1 in folders that cannot be classes, '
        '1 beside the folders of classes, 1 not readable); other files: 1 .db, 1 @eaDir/.'
    )
    assert ended.result['other_files'] == {'@eaDir/': 1, '.db': 1}
    assert ended.result['stored'] == {'cat': 2, 'coins': 1}
    assert ended.result['found'] == 6
    assert ended.result['left_out']['not readable'] == 1
    for options in ((), ('--min-novelty', '0.01')):
        again = run('teach', folder, '--data-dir', tmp_path / 'data', *options)
        assert '0 stored, 6 left out' in last_line(again)
        assert '3 near duplicates' in last_line(again)
    copies = run(*TEACH_ALL, folder, '--data-dir', tmp_path / 'data')
    assert '3 stored, 3 left out' in last_line(copies)


def test_a_class_without_readable_pictures_is_in_the_table(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    (folder / 'coins ' / '1.png').write_bytes(b'hello')
    ended = run(*TEACH_ALL, folder, '--data-dir', tmp_path / 'data')
    assert ended.out.splitlines()[2].split() == ['coins', '0', '0', '0']


def test_evaluate_and_classify_a_folder(run: Run, folder: Path, trained_once: Path) -> None:
    ended = run('evaluate', folder, '--data-dir', trained_once, '--json')
    assert last_line(ended) == (
        '6 pictures found, 4 evaluated, 2 left out (1 beside the folders of classes, '
        '1 not readable); other files: 1 .db, 1 @eaDir/.'
    )
    assert ended.result['found'] == 6
    ended = run('classify', folder, '--data-dir', trained_once, '--json')
    assert last_line(ended) == (
        '6 pictures found, 5 classified, 1 left out (1 not readable); '
        'other files: 1 .db, 1 @eaDir/.'
    )
    assert all(json.loads(line) for line in ended.out.splitlines())


@pytest.mark.parametrize('command', ['teach', 'evaluate', 'classify'])
def test_a_part_of_a_bag(command: str, run: Run, trained_once: Path, tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', 'mcap', {TOPIC: [image(photographs('cat', 1)[0])] * 10})
    data = tmp_path / 'data' if command == 'teach' else trained_once
    options = ['--topic', TOPIC, '--from', '0.2', '--every', '0.2', '--data-dir', data]
    options += [] if command == 'classify' else ['--label', 'cat']
    keep = ('--min-novelty', '-1') if command == 'teach' else ()
    assert last_line(run(command, bag, *options, *keep)).endswith(
        '6 left out (2 before or after the selected part, 4 between the selected images).'
    )
    ended = run(command, bag, *options, '--from', '0.01', '--to', '0.02')
    assert ended.code == 2
    assert '(10 pictures found, 0 ' in ended.problem


def test_a_bag_that_was_cut_off(run: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [image(rng.integers(0, 256, (600, 600, 3), np.uint8)) for _ in range(4)]
    bag = write_bag(tmp_path / 'bag', 'mcap', {TOPIC: frames})
    (bag / 'metadata.yaml').unlink()
    (file,) = bag.glob('*.mcap')
    file.write_bytes(file.read_bytes()[:-1_500_000])
    data = ('--data-dir', tmp_path / 'data')
    ended = run(*TEACH_ALL, bag, '--topic', TOPIC, '--label', 'noise', *data)
    assert 'has no metadata.yaml' in ended.err
    assert last_line(ended).startswith('2 pictures found, 2 stored, 0 left out; bag.mcap is cut')
    assert last_line(ended).endswith("('mcap recover' makes a complete file of it).")
