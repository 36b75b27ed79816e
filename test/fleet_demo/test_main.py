# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole demonstration as a user starts it, and how it ends early."""

from collections.abc import Iterator
import json
from pathlib import Path
import signal
from typing import Any

from edgetpu_retrain.fleet_demo import command
import pytest
from support.demo_run import DemoRun

MODULE = 'edgetpu_retrain.fleet_demo.main'


def started(*options: str) -> DemoRun:
    """Start the demonstration."""
    return DemoRun(MODULE, *options, patience_s=700.0)


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    """Undo what run() does to the signals when a test calls it in this process."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the home folder and the one for temporary files; it must be empty afterwards."""
    folder = tmp_path / 'home'
    folder.mkdir()
    for name in ('HOME', 'ROS_HOME', 'TMPDIR'):
        monkeypatch.setenv(name, str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures('home')
def test_what_one_robot_is_taught_all_learn_and_a_wrong_teacher_is_forgotten(
    tmp_path: Path,
) -> None:
    logs = tmp_path / 'logs'
    # A busy machine needs longer.
    run = started('--logs', str(logs), '--time-limit', '600')
    shown, errors = run.finish()
    assert run.process.returncode == 0, shown + errors
    seen = json.loads(shown.splitlines()[-1])
    assert seen['missing'] == []
    assert set(seen['shared']) == {'ada', 'ben', 'cleo'}
    assert seen['new_class_s'] > 0.0
    assert not seen['offline']['cleo']['right']
    assert seen['forgotten'] == {'ada': True, 'cleo': True}
    for log in logs.iterdir():
        assert 'Traceback' not in log.read_text(), log
    assert run.still_running() == []


@pytest.mark.usefixtures('home')
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM], ids=['ctrl-c', 'terminate'])
def test_an_interrupted_run_leaves_no_process_or_file_behind(number: int) -> None:
    run = started()
    run.wait_for_line('all nodes are active')
    run.process.send_signal(number)
    shown, errors = run.finish()
    assert run.process.returncode == 130
    assert 'Interrupted' in errors
    assert 'Traceback' not in shown + errors
    assert run.still_running() == []


def test_what_was_not_seen_is_named_and_is_no_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for missing in ([], ['nobody noticed the wrong teacher']):
        seen: dict[str, Any] = {'missing': missing}
        monkeypatch.setattr(command, 'run_course', lambda *_, seen=seen: seen)
        assert command.run([]) == len(missing)
        shown = capsys.readouterr()
        assert json.loads(shown.out.splitlines()[-1]) == seen
        assert ('nobody noticed' in shown.err) == bool(missing)


@pytest.mark.usefixtures('home')
def test_without_ros_one_sentence_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr('importlib.util.find_spec', lambda _name: None)
    assert command.run([]) == 1
    assert 'make fleet-demo' in capsys.readouterr().err
