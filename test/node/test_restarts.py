# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Who talks to the node ends and comes again under the same names, and so does the node."""

from __future__ import annotations

from pathlib import Path
import signal
import sys
from typing import Any

from edgetpu_retrain_interfaces.msg import Result
import pytest
from support.running_node import Person, RunningNode, RunningProgram, TAUGHT, TAUGHT_IMAGES

RESTARTING_PERSON = str(Path(__file__).with_name('restarting_person.py'))
SIGNALS = pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGKILL])


@SIGNALS
def test_a_camera_and_a_client_that_start_again_are_served_again(
    start_node: Any,
    person: Person,
    taught_data: Path,
    package_path: str,
    number: signal.Signals,
) -> None:
    node: RunningNode = start_node()
    person.wait_until_ready()
    results = person.collect(Result, 'result')
    for life in range(1, 4):
        command = [sys.executable, RESTARTING_PERSON]
        with RunningProgram(command, {'PYTHONPATH': package_path}) as restarting:
            restarting.wait_for_log('added: 2')
            assert results.next_one().model_version == 2
            restarting.end(number)
        assert person.list_samples().total == 2 * TAUGHT + 2 * life
    assert taught_data.is_dir()
    assert node.end() == 0
    assert not any('Traceback' in line for line in node.log), '\n'.join(node.log)


@SIGNALS
def test_a_node_that_starts_again_is_found_by_those_who_live_on(
    start_node: Any, person: Person, taught_data: Path, number: signal.Signals
) -> None:
    results = person.collect(Result, 'result')
    person.camera().show(TAUGHT_IMAGES['cat'])
    for life in range(1, 4):
        node: RunningNode = start_node().wait_until_ready()
        assert results.next_one().model_version == life + 1
        assert person.wait_until_ready().add('cat', count=2, timeout_s=60.0).success
        status, result = person.train(num_iter=100, learning_rate=0.1)
        assert result.success, (status, result.message)
        assert person.list_samples().total == 2 * TAUGHT + 2 * life
        node.end(number)
    assert taught_data.is_dir()
