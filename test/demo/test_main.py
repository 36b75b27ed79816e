# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole demo as a user starts it, and the ways in which it can fail."""

from collections.abc import Iterator
import json
from pathlib import Path
import signal

import cv2
from edgetpu_retrain.demo import command
from edgetpu_retrain.demo.photographs import SUBJECTS
from edgetpu_retrain.demo.scenes import EXAM_FRAMES, TAUGHT
from edgetpu_retrain.demo.teacher import SAMPLES_PER_SUBJECT
import pytest
from support.demo_run import DemoRun

MODULE = 'edgetpu_retrain.demo.main'


def started(output: Path, *options: str) -> DemoRun:
    """Start the demo."""
    return DemoRun(MODULE, '--output', str(output), *options, patience_s=400.0)


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    """Undo what run() does to the signals when a test calls it in this process."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder in which the demo makes its own; it must be empty afterwards."""
    folder = tmp_path / 'temporary'
    folder.mkdir()
    monkeypatch.setenv('TMPDIR', str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures('temporary_folder')
def test_the_robot_learns_the_subjects_and_passes_its_exam(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / 'home'
    home.mkdir()
    monkeypatch.setenv('HOME', str(home))
    monkeypatch.setenv('ROS_HOME', str(home / 'robot'))
    output = tmp_path / 'output'
    # At the usual rate, a pause of two seconds of a busy machine costs more frames than may be
    # wrong.
    run = started(output, '--rate', '5')
    shown, errors = run.finish()
    assert run.process.returncode == 0, shown + errors
    figures = json.loads(shown.splitlines()[-1])
    assert figures['live_accuracy'] >= 0.95
    assert figures['exam_frames'] == 40 * len(SUBJECTS) >= 200
    assert figures['answered'] <= figures['exam_frames']
    assert figures['samples'] == 15 * len(TAUGHT)
    assert 'near copies' in shown
    assert figures['frames_per_second'] > 0.0
    for name in ('validation_accuracy', 'quantized_validation_accuracy'):
        assert 0.0 <= figures[name] <= 1.0
    assert 'taught in one go: these figures say nothing about another day' in shown
    for subject in SUBJECTS:
        assert subject in shown
    sheet = cv2.imread(str(output / 'contact_sheet.png'))
    assert sheet is not None
    assert sheet.shape[1] > 1000
    assert (output / 'retrained.tflite').read_bytes()[4:8] == b'TFL3'
    for log in (output / 'logs').iterdir():
        assert 'Traceback' not in log.read_text(), log
    assert run.still_running() == []
    assert list(home.iterdir()) == []


@pytest.mark.usefixtures('temporary_folder')
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM], ids=['ctrl-c', 'terminate'])
def test_an_interrupted_demo_leaves_no_process_or_file_behind(tmp_path: Path, number: int) -> None:
    run = started(tmp_path / 'output')
    run.wait_for_line('Teaching')
    assert len(run.still_running()) == 4
    run.process.send_signal(number)
    shown, errors = run.finish()
    assert run.process.returncode == 130
    assert 'Interrupted' in errors
    assert 'Traceback' not in shown + errors
    assert run.still_running() == []


@pytest.mark.usefixtures('temporary_folder')
def test_if_the_node_cannot_be_configured_the_demo_ends_with_the_reason(tmp_path: Path) -> None:
    run = started(tmp_path / 'output', '--extractor', str(tmp_path / 'missing.tflite'))
    shown, errors = run.finish()
    assert run.process.returncode == 1
    assert '/edgetpu_retrain is unconfigured after 30 s' in errors
    assert 'missing.tflite' in errors
    assert 'Traceback' not in shown + errors
    assert run.still_running() == []


def test_a_failed_exam_is_not_a_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for accuracy, exit_code in ((0.95, 0), (0.9499, 1)):
        figures = {'live_accuracy': accuracy}
        monkeypatch.setattr(command, 'teach_and_examine', lambda _options, result=figures: result)
        assert command.run(['--output', str(tmp_path)]) == exit_code
        shown = capsys.readouterr()
        assert json.loads(shown.out.splitlines()[-1]) == figures
        assert ('failed its exam' in shown.err) == (exit_code == 1)


def test_the_result_of_an_earlier_run_is_not_taken_for_this_one(tmp_path: Path) -> None:
    (tmp_path / 'result.json').write_text('{"live_accuracy": 1.0}')
    run = started(tmp_path, '--extractor', str(tmp_path / 'missing.tflite'))
    shown, _ = run.finish()
    assert run.process.returncode == 1
    assert 'live_accuracy' not in shown
    assert not (tmp_path / 'result.json').exists()


@pytest.mark.parametrize(
    ('option', 'value', 'words'),
    [
        ('--rate', '0', 'is not from 1 to 60'),
        ('--rate', 'nan', 'is not from 1 to 60'),
        ('--seed', '-1', '-1 is negative'),
        ('--device', 'gpu', "device is 'gpu'; it must be 'auto'"),
    ],
)
def test_impossible_options_are_rejected(
    option: str, value: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.run([option, value])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize('rate', [1.0, 2.0, 10.0, 60.0])
def test_the_time_limit_leaves_time_for_the_frames(rate: float) -> None:
    # Those of the exam, which is shown once, and those that become samples.
    frames = EXAM_FRAMES + SAMPLES_PER_SUBJECT * len(TAUGHT)
    assert command.time_limit_s(rate) > 60.0 + frames / rate


def test_without_ros_one_sentence_explains_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr('importlib.util.find_spec', lambda _name: None)
    assert command.run([]) == 1
    assert 'make demo' in capsys.readouterr().err
