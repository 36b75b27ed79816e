# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Which recordings the samples of `teach` belong to, as `samples list` shows them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.bags import image, photographs, png, write_bag
from support.command_line_types import Run

TOPIC = '/camera/image_raw'


def recordings(run: Run, data: Path) -> list[tuple[str, str]]:
    """Return class and recording of each sample, oldest first."""
    ended = run('samples', 'list', '--limit', '100', '--data-dir', data, '--json')
    listed = reversed(ended.result['samples'])
    return [(each['label'], each['recording']) for each in listed]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with pictures beside sub-folders; two in a row are copies."""
    same, other, coffee = (photographs(each, 1)[0] for each in ('cat', 'coins', 'coffee'))
    for name, rgb in (
        ('cat/1.png', other),
        ('cat/2.png', same),
        ('cat/3.png', same),
        ('cat/monday/1.png', same),
        ('cat/tuesday/noon/1.png', other),
        ('cat/tuesday/noon/2.png', same),
        ('coffee/1.png', coffee),
    ):
        path = tmp_path / 'folder' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(rgb))
    return tmp_path / 'folder'


def test_sub_folders_and_near_copies_are_recordings(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    data = tmp_path / 'data'
    assert run('teach', folder, '--min-novelty', '-1', '--data-dir', data).code == 0
    assert recordings(run, data) == [
        ('cat', str(folder / 'cat' / '1.png')),
        ('cat', str(folder / 'cat' / '2.png')),
        ('cat', str(folder / 'cat' / '2.png')),
        ('cat', str(folder / 'cat' / 'monday')),
        ('cat', str(folder / 'cat' / 'tuesday')),
        ('cat', str(folder / 'cat' / 'tuesday')),
        ('coffee', str(folder / 'coffee' / '1.png')),
    ]
    table = run('samples', 'list', '--limit', '1', '--data-dir', data).out.splitlines()
    assert table[-2].split()[-1] == 'recording'
    assert table[-1].endswith(str(folder / 'coffee' / '1.png'))


def test_a_named_recording_is_that_of_all_pictures(run: Run, folder: Path, tmp_path: Path) -> None:
    data = tmp_path / 'data'
    options = ('--min-novelty', '-1', '--data-dir', data)
    assert run('teach', folder, '--recording', 'kitchen', *options).code == 0
    assert {name for _, name in recordings(run, data)} == {'kitchen'}
    ended = run('teach', folder, '--recording', 'two\nlines', *options)
    assert ended.code == 2
    assert 'The recording' in ended.problem


def test_a_part_of_a_bag_is_a_recording(run: Run, tmp_path: Path) -> None:
    data, bag = tmp_path / 'data', tmp_path / 'bag'
    write_bag(bag, 'mcap', {TOPIC: [image(rgb) for rgb in photographs('cat', 4)]})
    options = ('--topic', TOPIC, '--label', 'cat', '--min-novelty', '-1', '--data-dir', data)
    for part in (('--to', '0.15'), ('--from', '0.2'), ()):
        assert run('teach', bag, *part, *options).code == 0
    names = (f'{bag} 0-0.15 s', f'{bag} 0.2- s', str(bag))
    assert list(dict.fromkeys(name for _, name in recordings(run, data))) == list(names)
