# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Symbolic links in the data folder are not followed, and pipes do not block."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
import json
import os
from pathlib import Path

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.files.ownership import Ownership
from edgetpu_retrain.store.files.regular_file import exists, read_regular_file
from edgetpu_retrain.store.models.choice_file import ChoiceFile
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_store import ModelStore
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from support.permissions import without

RECORD = ModelRecord(('a', 'b'), {'a': 1, 'b': 1}, 1.0, 1.0, 1.0, ((1, 0), (0, 1)), 'c' * 64, 0.0)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """Return a store with versions 1 and 2, of which 1 was chosen."""
    store = ModelStore(tmp_path / 'data' / 'models')
    for model in (b'one', b'two'):
        store.save(model, RECORD)
    ChoiceFile(store).choose(1)
    return store


def link_elsewhere(path: Path) -> None:
    """Replace a file by a symbolic link to a copy elsewhere."""
    elsewhere = path.parents[2] / f'elsewhere_{path.name}'
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def put_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def put_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


TRICKS = [link_elsewhere, put_pipe, put_folder]


WRITTEN = (
    'owner',
    'samples.db',
    'samples.db-wal',
    'samples.db-shm',
    'models/.lock',
    'models/highest_version',
    'models/.highest_version.partial',
    'models/model_000001.tflite',
    'models/.model_000001.tflite.partial',
    'models/.model_000001.json.partial',
    'models/serving.json',
    'models/.serving.copy.json.partial',
)


def use(folder: Path) -> None:
    """Open everything in a data folder for writing, as a node does."""
    with contextlib.suppress(StoreError):
        Ownership(folder).release()
    with contextlib.suppress(StoreError), SampleStore(folder / 'samples.db') as samples:
        samples.add([Sample('cup', {'a' * 64: np.zeros(8, np.float32)})], {'a' * 64: None})
    models = ModelStore(folder / 'models')
    with contextlib.suppress(StoreError):
        ChoiceFile(models).choose(models.save(b'one', RECORD).version)


@pytest.mark.parametrize('content', [b'precious', b'', None])
@pytest.mark.parametrize('name', WRITTEN)
def test_writing_does_not_follow_a_link(name: str, content: bytes | None, tmp_path: Path) -> None:
    elsewhere = tmp_path / 'elsewhere'
    if content is not None:
        elsewhere.write_bytes(content)
    path = tmp_path / 'data' / name
    path.parent.mkdir(parents=True)
    path.symlink_to(elsewhere)
    use(tmp_path / 'data')
    assert (elsewhere.read_bytes() if elsewhere.exists() else None) == content


@pytest.mark.parametrize('name', ['owner', 'samples.db', 'models/.lock'])
def test_a_pipe_is_rejected_at_once(name: str, tmp_path: Path) -> None:
    path = tmp_path / 'data' / name
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    use(tmp_path / 'data')
    assert path.is_fifo()


def test_the_owner_is_told_what_a_link_is(tmp_path: Path) -> None:
    (tmp_path / 'owner').symlink_to(tmp_path / 'elsewhere')
    with pytest.raises(StoreError, match=r'owner: it is a symbolic link\. What to do: '):
        Ownership(tmp_path)


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / 'file').write_bytes(b'all of it')
    (tmp_path / 'folder').symlink_to(tmp_path)
    assert read_regular_file(tmp_path / 'folder' / 'file') == b'all of it'
    with pytest.raises(FileNotFoundError):
        read_regular_file(tmp_path / 'none')


@pytest.mark.parametrize('trick', TRICKS)
@pytest.mark.parametrize('name', ['model_000002.tflite', 'model_000002.json'])
def test_a_model_that_lies_elsewhere_is_none(
    name: str, trick: Callable[[Path], None], store: ModelStore
) -> None:
    trick(store.folder / name)
    with pytest.raises(StoreError, match=f'{name}: .*What to do: '):
        store.load(2)
    with pytest.raises(StoreError):
        ChoiceFile(store).choose(2)
    latest = store.latest()
    assert latest is not None
    assert latest.version == 1


@pytest.mark.parametrize('trick', TRICKS)
def test_a_symbolic_link_as_choice_is_rejected(
    trick: Callable[[Path], None], store: ModelStore
) -> None:
    trick(store.folder / 'serving.json')
    with pytest.raises(StoreError, match='What to do: '):
        ChoiceFile(store).current()


@pytest.mark.parametrize('version', ['../../evil', '/etc/passwd', -1, 1.0, True, None, [1]])
def test_a_choice_with_other_content_is_rejected(version: object, store: ModelStore) -> None:
    for name in ('serving.json', 'serving.copy.json'):
        content = {'format': 1, 'version': version, 'swaps': 1, 'newest': 2}
        (store.folder / name).write_text(json.dumps(content))
    with pytest.raises(StoreError, match='is damaged'):
        ChoiceFile(store).current()


def test_a_record_names_no_file(store: ModelStore, tmp_path: Path) -> None:
    evil = tmp_path / 'evil.tflite'
    evil.write_bytes(b'evil')
    record = store.folder / 'model_000002.json'
    content = json.loads(record.read_text())
    for name in ('path', 'file', 'model', 'name'):
        content[name] = content['record'][name] = str(evil)
    record.write_text(json.dumps(content))
    found = store.load(2)
    assert found.path == store.folder / 'model_000002.tflite'
    assert found.read_model() == b'two'
    # A record under another version's name is rejected.
    (store.folder / 'model_000001.json').write_text(record.read_text())
    with pytest.raises(StoreError, match=r'model_000001\.json is damaged'):
        store.load(1)


def test_whether_a_file_exists_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / 'folder').mkdir()
    file = tmp_path / 'folder' / 'file'
    assert not exists(file)
    file.touch()
    assert exists(file)
    assert not exists(file / 'in a file')
    with without(0o111, [file.parent]), pytest.raises(PermissionError):
        exists(file)
