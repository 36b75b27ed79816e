# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

from edgetpu_retrain.processes import prerequisites
from edgetpu_retrain.processes.program_error import ProgramError
import pytest


def test_the_configuration_is_found_without_the_source_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = tmp_path / 'share'
    index = share / 'ament_index' / 'resource_index' / 'packages'
    index.mkdir(parents=True)
    monkeypatch.setattr(prerequisites, '__file__', str(tmp_path / 'a' / 'b' / 'c' / 'main.py'))
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    with pytest.raises(ProgramError, match=r'source install/setup\.bash'):
        prerequisites.config_folder()
    (index / 'edgetpu_retrain').touch()
    (share / 'edgetpu_retrain').mkdir()
    assert prerequisites.config_folder() == share / 'edgetpu_retrain' / 'config'


def test_missing_modules_are_named_with_the_command_that_brings_them() -> None:
    prerequisites.require_modules(('os', 'pathlib'), 'make teach')
    with pytest.raises(ProgramError, match=r'import no_such_module\. Type `make teach` in'):
        prerequisites.require_modules(('os', 'no_such_module'), 'make teach')
