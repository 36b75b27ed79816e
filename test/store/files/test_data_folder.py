# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.files.data_folder import data_folder, default_folder
import pytest


def test_a_given_folder_is_created(tmp_path: Path) -> None:
    wanted = tmp_path / 'robots' / 'one'
    assert data_folder(str(wanted)) == wanted
    assert wanted.is_dir()


def test_a_new_folder_is_for_its_user_alone_and_one_that_is_there_stays_as_it_is(
    tmp_path: Path,
) -> None:
    assert data_folder(str(tmp_path / 'new')).stat().st_mode & 0o777 == 0o700
    (tmp_path / 'new').chmod(0o750)
    assert data_folder(str(tmp_path / 'new')).stat().st_mode & 0o777 == 0o750


def test_nothing_given_means_ros_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('ROS_HOME', str(tmp_path / 'ros'))
    assert data_folder('') == tmp_path / 'ros' / 'edgetpu_retrain'
    assert (tmp_path / 'ros' / 'edgetpu_retrain').is_dir()


@pytest.mark.parametrize(
    ('node', 'below'),
    [
        ('/edgetpu_retrain', ''),
        ('/robot1/edgetpu_retrain', 'robot1/edgetpu_retrain'),
        ('/fleet/robot1/edgetpu_retrain', 'fleet/robot1/edgetpu_retrain'),
        ('/front', 'front'),
    ],
)
def test_each_node_has_a_folder_of_its_own(
    node: str, below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('ROS_HOME', str(tmp_path))
    expected = tmp_path / 'edgetpu_retrain' / below
    assert default_folder(node) == expected
    assert not expected.exists()
    assert data_folder('', node) == expected
    # That of the node without a namespace, too, which may be used later.
    assert (tmp_path / 'edgetpu_retrain').stat().st_mode & 0o777 == 0o700
    assert data_folder(str(tmp_path / 'given'), node) == tmp_path / 'given'


@pytest.mark.parametrize('ros_home', [None, ''])
def test_without_ros_home_it_is_in_the_home_folder(
    ros_home: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if ros_home is None:
        monkeypatch.delenv('ROS_HOME', raising=False)
    else:
        monkeypatch.setenv('ROS_HOME', ros_home)
    monkeypatch.setenv('HOME', str(tmp_path))
    assert data_folder('') == tmp_path / '.ros' / 'edgetpu_retrain'


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HOME', str(tmp_path))
    assert data_folder('~/models') == tmp_path / 'models'


def test_a_relative_path_is_returned_as_an_absolute_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert data_folder('here') == tmp_path / 'here'


def test_an_existing_folder_and_what_is_in_it_stay(tmp_path: Path) -> None:
    (tmp_path / 'samples.db').write_bytes(b'kept')
    assert data_folder(str(tmp_path)) == tmp_path
    assert (tmp_path / 'samples.db').read_bytes() == b'kept'


@pytest.mark.parametrize('name', ['file', 'file/below'])
def test_a_file_in_the_way_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    with pytest.raises(StoreError, match=rf'{tmp_path / name}.*What to do'):
        data_folder(str(tmp_path / name))


@pytest.mark.parametrize('parameter', ['~no_such_user_here/x', 'a\x00b', '/proc/no/folder/here'])
def test_an_impossible_folder_raises_store_error(parameter: str) -> None:
    with pytest.raises(StoreError, match=r'(?s)data folder.*What to do'):
        data_folder(parameter)
