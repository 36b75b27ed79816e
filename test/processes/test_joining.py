# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Programs whose node the middleware rejects, and programs with invalid ROS arguments."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

from edgetpu_retrain.processes.joining import joining_domain
import pytest
import rclpy
from support.waiting import PATIENCE_S

# For the node, test/node/test_main.py has the same tests.
PROGRAMS = {
    'fleet.main': (),
    'gamepad.main': (),
    'page.main': ('--port', '0'),
    'replay.main': ('.', '--topic', '/image'),
    'webcam.main': (),
}
INVALID = {
    '--enclave /no_such': "no_such' does not exist",
    '--params-file /no/such.yaml': '/no/such.yaml',
}


@pytest.fixture
def secured(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a domain with SROS 2, in which the enclave 'empty' has no keys."""
    (tmp_path / 'keystore' / 'enclaves' / 'empty').mkdir(parents=True)
    return {
        'ROS_SECURITY_KEYSTORE': str(tmp_path / 'keystore'),
        'ROS_SECURITY_ENABLE': 'true',
        'ROS_SECURITY_STRATEGY': 'Enforce',
    }


def last_words(program: str, ros_arguments: str, environment: dict[str, str]) -> tuple[int, str]:
    """Run a program; return its exit code, and the last line that it prints."""
    given = [*PROGRAMS[program], '--ros-args', *ros_arguments.split()]
    done = subprocess.run(
        [sys.executable, '-m', f'edgetpu_retrain.{program}', *given],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert 'Traceback' not in done.stderr
    return done.returncode, (done.stdout + done.stderr).splitlines()[-1]


@pytest.mark.parametrize('program', PROGRAMS)
def test_an_enclave_without_keys_ends_it_with_a_sentence(
    program: str, secured: dict[str, str]
) -> None:
    exit_code, words = last_words(program, '--enclave /empty', secured)
    assert exit_code == 1
    assert 'cannot join its ROS domain' in words
    assert words.endswith('check ROS_SECURITY_KEYSTORE and the enclave.')


@pytest.mark.parametrize('arguments', INVALID)
@pytest.mark.parametrize('program', PROGRAMS)
def test_an_invalid_ros_argument_ends_it_with_a_sentence(
    program: str, arguments: str, secured: dict[str, str]
) -> None:
    exit_code, words = last_words(program, arguments, secured)
    assert exit_code in {1, 2}
    assert INVALID[arguments] in words


def test_an_error_after_ros_was_shut_down_is_no_rejection() -> None:
    context = rclpy.Context()
    with pytest.raises(RuntimeError, match='shut down'), joining_domain(context):
        raise RuntimeError('shut down')
