# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from edgetpu_retrain.store.files.durable_file import make_folder, write_durably
import pytest


def test_content_is_flushed_then_renamed_then_the_folder_flushed(
    tmp_path: Path, disk_calls: list[tuple[str, str]]
) -> None:
    write_durably(tmp_path / 'model', b'new')
    assert disk_calls == [
        ('flush', '.model.partial'),
        ('rename', 'model'),
        ('flush', tmp_path.name),
    ]
    assert (tmp_path / 'model').read_bytes() == b'new'


def test_an_existing_file_is_replaced_and_no_other_left(tmp_path: Path) -> None:
    (tmp_path / 'model').write_bytes(b'a longer old content')
    write_durably(tmp_path / 'model', b'new')
    assert [path.name for path in tmp_path.iterdir()] == ['model']
    assert (tmp_path / 'model').read_bytes() == b'new'


def test_a_link_at_the_temporary_path_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / 'precious').write_bytes(b'precious')
    (tmp_path / '.model.partial').symlink_to(tmp_path / 'precious')
    write_durably(tmp_path / 'model', b'new')
    assert (tmp_path / 'precious').read_bytes() == b'precious'
    assert not (tmp_path / 'model').is_symlink()


def test_a_full_disk_leaves_the_old_file_alone(
    tmp_path: Path, file_size_limit: Callable[[int], AbstractContextManager[None]]
) -> None:
    (tmp_path / 'model').write_bytes(b'old')
    with file_size_limit(1000), pytest.raises(OSError, match='large'):
        write_durably(tmp_path / 'model', b'x' * 1_000_000)
    assert [path.name for path in tmp_path.iterdir()] == ['model']
    assert (tmp_path / 'model').read_bytes() == b'old'


def test_new_folders_are_flushed_from_the_top(
    tmp_path: Path, disk_calls: list[tuple[str, str]]
) -> None:
    make_folder(tmp_path / 'a' / 'b')
    assert disk_calls == [('flush', tmp_path.name), ('flush', 'a')]
    make_folder(tmp_path / 'a' / 'b')
    assert len(disk_calls) == 2
