# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Only a folder that a running node on this machine uses is the node's data folder."""

from __future__ import annotations

from pathlib import Path

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.files.folder_in_use import folder_in_use
from edgetpu_retrain.store.files.ownership import Ownership
import pytest

NODE = '/robot/edgetpu_retrain'


def test_the_folder_of_the_node_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('ROS_HOME', str(tmp_path))
    default, named = tmp_path / 'edgetpu_retrain' / NODE[1:], tmp_path / 'named'
    for parameter, folder in (('', default), (str(named), named)):
        folder.mkdir(parents=True)
        with Ownership(folder):
            assert folder_in_use(parameter, NODE, 'the page') == folder


@pytest.mark.parametrize('name', ['missing', 'left', 'nul\0'])
def test_a_folder_of_another_machine_is_named(tmp_path: Path, name: str) -> None:
    left = tmp_path / 'left'
    left.mkdir()
    Ownership(left).release()
    with pytest.raises(StoreError, match=r'The data folder of /robot/edgetpu_retrain'):
        folder_in_use(str(tmp_path / name), NODE, 'the page')


def test_a_look_at_the_folder_does_not_keep_a_node_from_owning_it(tmp_path: Path) -> None:
    Ownership(tmp_path).release()
    with pytest.raises(StoreError, match='is not in use by a node on this machine'):
        folder_in_use(str(tmp_path), NODE, 'the page')
    with Ownership(tmp_path):
        assert folder_in_use(str(tmp_path), NODE, 'the page') == tmp_path
