# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line on the data folder of a running node: neither loses data."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import subprocess
import sys

import pytest
from support.command_line_types import Run, TEACH_ALL
from support.running_node import image_message, pattern, Person, RunningNode

pytest.importorskip('rclpy')


@pytest.fixture
def person() -> Iterator[Person]:
    with Person() as person:
        yield person


def test_samples_models_and_choices_meet(
    run: Run, person: Person, lessons: Path, tmp_path: Path, package_path: str
) -> None:
    folder = tmp_path / 'data'
    data = ('--data-dir', folder)
    with RunningNode(package_path, {'data_dir': folder, 'device': 'cpu'}) as node:
        node.wait_until_ready()
        person.wait_until_ready()
        camera = person.camera()
        camera.show(image_message(pattern(1)))
        # The command line writes while the node does.
        command = [sys.executable, '-m', 'edgetpu_retrain', *TEACH_ALL, str(lessons), '--json']
        with subprocess.Popen(
            [*command, *map(str, data)],
            env={**os.environ, 'PYTHONPATH': package_path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as beside:
            asked = 0
            while beside.poll() is None or not asked:
                answer = person.add('pattern', count=3, timeout_s=60.0)
                assert answer.success, answer.message
                asked += 3
            _, problems = beside.communicate()
            assert beside.returncode == 0, problems
        everything = {'cat': 12, 'coffee': 12, 'coins': 12, 'pattern': asked}
        listed = person.list_samples()
        assert dict(zip(listed.labels, listed.counts, strict=True)) == everything
        assert run('samples', 'list', *data, '--json').result['counts'] == everything
        # Each trains on all of them, and neither version takes the other's place.
        assert run('train', *data, '--json').result['model_version'] == 1
        _, result = person.train()
        assert (result.model_version, len(result.labels)) == (2, 4)
        assert run('models', 'list', *data, '--json').result['serving'] == 2
        assert run('models', 'use', '1', *data).code == 0
        assert node.end() == 0
    with RunningNode(package_path, {'data_dir': folder, 'device': 'cpu'}) as node:
        node.wait_for_log('model version 1 serves')
