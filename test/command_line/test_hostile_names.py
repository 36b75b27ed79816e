# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Hostile names: labels that resemble a path or a command, files and cameras with escapes."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
import re
import shutil
import sqlite3
import zipfile

from edgetpu_retrain.command_line.main import main
import pytest
from support.bags import write_class_folders
from support.command_line_types import Run, TEACH_ALL

SUBJECTS = ('cat', 'coffee', 'coins')
LABELS = ('-rf $(touch evil) `touch evil`;', '<img src=x onerror=evil()>', '~%s%n{0.evil}')
# What no label may be, and what somebody with write access could put into the database.
PLANTED = ('../../evil', 'evil\x1b[2J\nevil')

COMMANDS = (
    ('samples', 'list'),
    ('samples', 'export', 'all.zip'),
    ('samples', 'export', 'folders'),
    ('train',),
    ('models', 'show'),
    ('models', 'export', 'model'),
    ('evaluate', 'folders'),
    ('classify', 'exam/cat', '--annotated', 'drawn', '--output', 'answers.csv', '--form', 'csv'),
    ('report', '--out', 'report.html'),
)
WRITTEN = re.compile(
    r'all\.zip|answers\.csv|report\.(html|png)|model/(model\.tflite|labels\.txt)|drawn/\d{6}\.jpg'
)


@pytest.fixture(scope='module')
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with ``exam``, pictures of three classes, and ``data``, taught with them."""
    folder = tmp_path_factory.mktemp('taught')
    write_class_folders(folder / 'exam', SUBJECTS, 4)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main([*TEACH_ALL, 'exam', '--data-dir', 'data', '--store-images', 'full']) == 0
    return folder


@pytest.fixture
def here(taught: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, a copy of what was taught."""
    folder = tmp_path / 'below' / 'here'
    shutil.copytree(taught, folder)
    monkeypatch.chdir(folder)
    return folder


def files(folder: Path) -> set[str]:
    """Return all files but those of data folder and exam."""
    found = (path.relative_to(folder) for path in folder.rglob('*') if not path.is_dir())
    return {str(path) for path in found if path.parts[:1] not in {('data',), ('exam',)}}


def test_allowed_labels_name_only_their_own_folder(run: Run, here: Path) -> None:
    for subject, label in zip(SUBJECTS, LABELS, strict=True):
        ended = run('samples', 'relabel', f'--label={subject}', '--data-dir=data', '--', label)
        assert ended.code == 0, ended.err
    for command in COMMANDS:
        assert run(*command, '--data-dir', 'data').code == 0, command
    of_labels = {file for file in files(here) if file.startswith('folders/')}
    assert {file.split('/')[1] for file in of_labels} == set(LABELS)
    assert all(re.fullmatch(r'\d{8}\.jpg', file.split('/', 2)[2]) for file in of_labels)
    rest = files(here) - of_labels
    assert all(WRITTEN.fullmatch(file) for file in rest)
    assert files(here.parents[1]) == {f'below/here/{file}' for file in files(here)} | {
        str(path.relative_to(here.parents[1]))
        for name in ('data', 'exam')
        for path in (here / name).rglob('*')
        if path.is_file()
    }
    with zipfile.ZipFile('all.zip') as archive:
        members = archive.namelist()
    known = r'samples\.jsonl?|embeddings/[0-9a-f]{64}\.npy|images/\d{8}\.jpg'
    assert all(re.fullmatch(known, member) for member in members)
    assert '<img src=x' not in Path('report.html').read_text()


@pytest.mark.parametrize('form', ['text', 'jsonl', 'csv'])
def test_file_names_are_printed_in_one_line(run: Run, here: Path, form: str) -> None:
    picture = here / 'exam' / 'cat' / '000.png'
    named = picture.rename(here / 'a\n\x1b[2J\rb.png')
    (here / 'c\nd.png').write_bytes(b'')
    assert run('train', '--data-dir', 'data').code == 0
    ended = run('classify', named, here / 'c\nd.png', '--form', form, '--data-dir', 'data')
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert len(lines) == {'text': 1, 'jsonl': 2, 'csv': 3}[form]
    (line,) = [line for line in lines if '[2J' in line]
    assert line.isprintable()
    # After a progress bar, rich 11 prints an empty line even if there is no terminal.
    warning, summary = filter(None, ended.err.splitlines())
    assert 'c\\nd.png is skipped: ' in warning
    assert summary == '2 pictures found, 1 classified, 1 left out (1 not readable).'


@pytest.mark.usefixtures('here')
def test_folders_and_cameras_are_printed_in_one_line(run: Run) -> None:
    with closing(sqlite3.connect('data/samples.db')) as connection, connection:
        connection.execute('UPDATE samples SET camera = ?', ('\x1b[31m\n' + 'x' * 60_000,))
    ended = run('samples', 'list', '--limit', '1', '--data-dir', 'data')
    assert all(line.isprintable() and len(line) < 3000 for line in ended.out.splitlines())
    Path('data').rename('da\n\x1b[2Jta')
    ended = run('models', 'list', '--data-dir', 'da\n\x1b[2Jta')
    (line,) = ended.out.splitlines()
    assert 'da\\n\\x1b[2Jta' in line
    for wrong in ('--topic=/x', '--no-such\x1b[2J\noption'):
        ended = run('classify', 'da\n\x1b[2Jta', wrong)
        assert ended.code == 2
        assert '\x1b' not in ended.err
        assert ended.err.splitlines()[-1].startswith('Error: ')


@pytest.mark.parametrize('label', PLANTED)
def test_planted_labels_cannot_escape_the_folder(run: Run, here: Path, label: str) -> None:
    with closing(sqlite3.connect('data/samples.db')) as connection, connection:
        connection.execute("UPDATE samples SET label = ? WHERE label = 'cat'", (label,))
    around = {path for path in here.parents[1].rglob('*') if 'here' not in path.parts}
    for command in COMMANDS:
        ended = run(*command, '--data-dir', 'data')
        assert ended.code in {0, 1, 2}, command
        assert 'Traceback' not in ended.err
        assert '\x1b' not in ended.out + ended.err, command
    assert around == {path for path in here.parents[1].rglob('*') if 'here' not in path.parts}
    written = files(here)
    assert not [file for file in written if 'evil' in file]
    assert all(WRITTEN.fullmatch(file) or file.startswith('folders/co') for file in written)
