# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands that manage samples."""

from __future__ import annotations

import contextlib
from pathlib import Path
import shutil
import sqlite3
import subprocess
import zipfile

from edgetpu_retrain.store.files.ownership import Ownership
import pytest
from support.command_line_types import Run, TEACH_ALL


@pytest.fixture
def data(trained_once: Path, tmp_path: Path) -> tuple[object, ...]:
    shutil.copytree(trained_once, tmp_path / 'data')
    return ('--data-dir', tmp_path / 'data')


def counts(run: Run, data: tuple[object, ...]) -> dict[str, int]:
    found = run('samples', 'list', *data, '--json').result['counts']
    assert isinstance(found, dict)
    return found


def test_listing_relabelling_and_removing(run: Run, data: tuple[object, ...]) -> None:
    listed = run('samples', 'list', '--label', 'cat', '--limit', '2', *data, '--json').result
    assert listed['counts'] == {'cat': 12}
    ids = [each['sample_id'] for each in listed['samples']]
    assert run('samples', 'relabel', 'tom', '--label', 'cat', *data).code == 0
    by_id = [word for number in ids for word in ('--id', number)]
    assert run('samples', 'relabel', 'kitty', *by_id, *data, '--json').result == {'changed': 2}
    assert counts(run, data) == {'tom': 10, 'kitty': 2, 'coffee': 12, 'coins': 12}
    assert run('samples', 'remove', *by_id, *data, '--json').result == {'changed': 2}
    assert run('samples', 'remove', '--label', 'coins', '--newest', '5', *data).code == 0
    assert run('samples', 'remove', '--label', 'coffee', *data).code == 0
    assert counts(run, data) == {'tom': 10, 'coins': 7}


def test_undo_and_redo_go_back_and_forth(run: Run, data: tuple[object, ...]) -> None:
    assert run('samples', 'remove', '--label', 'coins', *data).code == 0
    assert run('samples', 'relabel', 'tom', '--label', 'cat', *data).code == 0
    undone = run('samples', 'undo', *data)
    assert undone.out == "Undid the relabelling of 12 samples of 'cat' to 'tom'.\n"
    change = run('samples', 'undo', *data, '--json').result
    assert (change['kind'], change['labels']) == ('remove', [['coins', '', 12]])
    assert counts(run, data) == {'cat': 12, 'coffee': 12, 'coins': 12}
    assert run('samples', 'redo', *data).out == "Redid the removal of 12 samples of 'coins'.\n"
    assert counts(run, data) == {'cat': 12, 'coffee': 12}
    for command, words in (('undo', 'nothing to undo'), ('redo', 'nothing to redo')):
        ended = run('samples', command, *data)
        while ended.code == 0:
            ended = run('samples', command, *data)
        assert (ended.code, words in ended.problem) == (2, True)


def test_purging(run: Run, data: tuple[object, ...]) -> None:
    assert run('samples', 'remove', '--label', 'coins', '--newest', '5', *data).code == 0
    assert run('samples', 'purge', *data).out == '5 samples are erased for ever.\n'
    assert run('samples', 'purge', '--label', 'cat', *data, '--json').result['changed'] == 12
    assert run('samples', 'purge', '--newest', '2', *data, '--json').result['changed'] == 2
    listed = run('samples', 'list', '--limit', '1', *data, '--json').result['samples']
    by_id = ('--id', listed[0]['sample_id'])
    erased = run('samples', 'purge', *by_id, *data, '--json').result
    assert erased == {'changed': 1, 'questions': 0}
    ended = run('samples', 'purge', *by_id, '--newest', '1', *data)
    assert (ended.code, bool(ended.problem)) == (2, True)
    ended = run('samples', 'purge', '--label', 'cta', *data)
    assert (ended.code, "no sample of 'cta'" in ended.problem) == (2, True)
    assert sum(counts(run, data).values()) == 36 - 5 - 12 - 2 - 1
    (Path(str(data[1])) / 'samples.schema-2.20261121-232256.db').touch()
    assert 'samples.schema-2.20261121-232256.db' in run('samples', 'purge', *data).err


@pytest.mark.parametrize(
    'command', [('samples', 'list'), ('models', 'list'), ('train',), ('report', '--out', 'x.html')]
)
def test_a_mistyped_data_folder_is_reported_and_not_created(
    command: tuple[str, ...], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = run(*command, '--data-dir', 'mistyped')
    assert ended.code == 2
    assert "there is no data folder 'mistyped': check --data-dir" in ended.err


def test_a_node_names_its_default_folder(
    run: Run, trained_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('ROS_HOME', str(tmp_path))
    name = '/robot1/edgetpu_retrain'
    shutil.copytree(trained_once, f'{tmp_path}/edgetpu_retrain{name}')
    of_node = ('--node', name)
    assert counts(run, of_node) == {'cat': 12, 'coffee': 12, 'coins': 12}
    assert counts(run, ('--node', name.removeprefix('/')))
    listed = run('models', 'list', *of_node, '--json').result['models']
    assert all(f'{tmp_path}/edgetpu_retrain{name}/models/' in each['file'] for each in listed)
    missing = run('samples', 'list', '--node', '/robot2/edgetpu_retrain')
    assert missing.code == 2
    assert f"there is no data folder '{tmp_path}/edgetpu_retrain/robot2/" in missing.problem
    for wrong in ('/robot1/../..', '/robot 1', '/', '/robot1/'):
        refused = run('samples', 'list', '--node', wrong)
        assert refused.code == 2
        assert 'give the full name of a node, as ros2 node list prints it' in refused.problem
    both = run('samples', 'list', *of_node, '--data-dir', tmp_path)
    assert both.code == 2
    assert 'Give either --data-dir or --node.' in both.problem


def test_each_command_that_takes_a_folder_takes_a_node(run: Run) -> None:
    for command in (
        *(('teach',), ('train',), ('evaluate',), ('classify',), ('report',)),
        *(('samples', each) for each in ('list', 'relabel', 'remove', 'export', 'import')),
        *(('models', each) for each in ('list', 'show', 'use', 'rollback', 'export')),
    ):
        described = run(*command, '--help').out
        assert '--data-dir FOLDER' in described
        assert '--node /NAMESPACE/NAME' in described
    assert not Path('mistyped').exists()


def test_changing_missing_samples_fails(run: Run, data: tuple[object, ...]) -> None:
    for arguments in (
        ('samples', 'list', '--label', 'dog'),
        ('samples', 'relabel', 'cat', '--label', 'dog'),
        ('samples', 'relabel', 'a/b', '--label', 'cat'),
        ('samples', 'relabel', 'x', '--id', '999'),
        ('samples', 'remove', '--label', 'dog'),
        ('samples', 'remove', '--id', '999'),
        ('samples', 'remove', '--id', '1', '--label', 'cat'),
    ):
        ended = run(*arguments, *data)
        assert ended.code == 2, arguments
        assert ended.problem
    assert counts(run, data) == {'cat': 12, 'coffee': 12, 'coins': 12}


def test_a_zip_transfers_samples_between_robots(
    run: Run, data: tuple[object, ...], tmp_path: Path
) -> None:
    file, other = tmp_path / 'samples.zip', ('--data-dir', tmp_path / 'other')
    written = run('samples', 'export', file, *data, '--json').result
    assert written == {'written': str(file), 'samples': 36}
    first = run('samples', 'import', file, *other, '--json').result
    assert first == {'added': 36, 'present': 0, 'relabelled': 0, 'left_out': 0, 'labels': {}}
    again = run('samples', 'import', file, *other, '--json').result
    assert (again['added'], again['present']) == (0, 36)
    assert counts(run, other) == counts(run, data)
    assert run('train', *other).code == 0
    ended = run('samples', 'export', file, *data)
    assert (ended.code, 'already' in ended.problem) == (2, True)
    with zipfile.ZipFile(tmp_path / 'bad.zip', 'w') as bad:
        bad.writestr('../../evil', 'x')
    ended = run('samples', 'import', tmp_path / 'bad.zip', *other)
    assert (ended.code, 'no sample archive' in ended.problem) == (2, True)
    assert not (tmp_path.parent / 'evil').exists()


def test_a_zip_with_a_class_called_unknown_is_imported_without_it(
    run: Run, data: tuple[object, ...], tmp_path: Path
) -> None:
    file, other = tmp_path / 'samples.zip', ('--data-dir', tmp_path / 'other')
    run('samples', 'export', file, *data)
    with zipfile.ZipFile(file) as whole, zipfile.ZipFile(tmp_path / 'x.zip', 'w') as changed:
        for name in whole.namelist():
            content = whole.read(name)
            for label, new in ((b'"cat"', b'"unknown"'), (b'"coins"', b'" coins"')):
                content = content.replace(label, new) if name == 'samples.jsonl' else content
            changed.writestr(name, content)
    ended = run('samples', 'import', tmp_path / 'x.zip', *other)
    assert ended.code == 0
    assert ended.out == '24 samples are new, 0 were here already, 12 left out.\n'
    assert "'unknown' is left out: The label 'unknown' is reserved" in ended.err
    assert "' coins' is class 'coins'" in ended.err
    assert counts(run, other) == {'coffee': 12, 'coins': 12}


def test_pictures_go_to_folders_and_back(run: Run, lessons: Path, tmp_path: Path) -> None:
    data = ('--data-dir', tmp_path / 'data')
    assert run(*TEACH_ALL, lessons, '--store-images', 'full', *data).code == 0
    written = run('samples', 'export', tmp_path / 'out', *data, '--json').result
    assert written['pictures'] == {'cat': 12, 'coffee': 12, 'coins': 12}
    again = run('teach', tmp_path / 'out', *data, '--min-novelty', '0.05', '--json').result
    # JPEG changes little: these are near-duplicates of what they were written from.
    assert sum(again['near_duplicates'].values()) == 36


def test_a_backup_is_restored_unless_a_node_runs(
    run: Run, data: tuple[object, ...], tmp_path: Path
) -> None:
    file = tmp_path / 'backup.db'
    ended = run('samples', 'backup', file, *data, '--json')
    assert ended.result == {'written': str(file), 'damage': ''}
    assert run('samples', 'remove', '--label', 'cat', *data).code == 0
    with Ownership(tmp_path / 'data'):
        ended = run('samples', 'restore', file, *data)
        assert (ended.code, 'in use by another node' in ended.problem) == (1, True)
    replaced = run('samples', 'restore', file, *data, '--json').result['replaced']
    assert counts(run, data) == {'cat': 12, 'coffee': 12, 'coins': 12}
    assert Path(str(replaced)).is_file()


@pytest.mark.skipif(not shutil.which('sqlite3'), reason='needs the program sqlite3')
@pytest.mark.parametrize('part', ['samples_of_label', 'embeddings'])
def test_a_damaged_database_is_recovered_as_documented(
    run: Run, data: tuple[object, ...], tmp_path: Path, part: str
) -> None:
    database = tmp_path / 'data' / 'samples.db'
    with contextlib.closing(sqlite3.connect(database)) as connection:
        query = 'SELECT MAX(pageno) FROM dbstat WHERE name = ?'
        (page,) = connection.execute(query, (part,)).fetchone()
    content = bytearray(database.read_bytes())
    start, end = 4096 * (page - 1), 4096 * page
    content = content[:start] + bytes(4096) + content[end:]
    database.write_bytes(content)
    ended = run('samples', 'backup', tmp_path / 'damaged.db', *data)
    assert (ended.code, 'is damaged, and so is the copy' in ended.err) == (0, True)
    page_of_docs = Path(__file__).parents[3] / 'docs' / 'command_line.md'
    script = page_of_docs.read_text().partition('```bash\nsqlite3 ')[2].partition('\npython3')[0]
    subprocess.run(['/bin/sh', '-c', f'sqlite3 {script}'], cwd=tmp_path, check=True)
    assert run('samples', 'restore', tmp_path / 'recovered.db', *data).code == 0
    found = counts(run, data)
    assert set(found) == {'cat', 'coffee', 'coins'}
    assert sum(found.values()) >= (36 if part == 'samples_of_label' else 30)
