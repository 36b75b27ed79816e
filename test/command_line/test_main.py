# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""From an empty store to an evaluated model, as a user would, without ROS."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.bags import compressed_image, image, photographs, png, STORAGES, write_bag
from support.command_line_types import Run, TEACH_ALL

TOPIC = '/camera/image_raw'


def check_report(run_without_ros: Run, folder: Path) -> None:
    reported = run_without_ros(
        'report', '--data-dir', folder / 'data', '--out', folder / 'report.html', '--json'
    )
    assert reported.code == 0, reported.err
    assert '<title>' in Path(reported.result['html']).read_text()
    assert Path(reported.result['png']).is_file()


def test_a_folder_is_taught_trained_measured_and_reported(
    run_without_ros: Run, lessons: Path, exam: Path, tmp_path: Path
) -> None:
    data = ('--data-dir', tmp_path / 'data')
    taught = run_without_ros(*TEACH_ALL, lessons, *data, '--json')
    assert taught.code == 0, taught.err
    assert taught.result['stored'] == {'cat': 12, 'coffee': 12, 'coins': 12}
    trained = run_without_ros('train', *data, '--json')
    assert trained.code == 0, trained.err
    assert trained.result['model_version'] == 1
    assert trained.result['quantized_validation_accuracy'] > 0.9
    assert 'loss' in trained.err
    measured = run_without_ros('evaluate', exam, *data, '--json')
    assert measured.code == 0, measured.err
    assert measured.result['pictures'] == 24
    assert measured.result['accuracy'] >= 0.9
    check_report(run_without_ros, tmp_path)


@pytest.mark.parametrize('storage', STORAGES)
def test_a_bag_is_taught_trained_measured_and_reported(
    storage: str, run_without_ros: Run, tmp_path: Path
) -> None:
    data = ('--data-dir', tmp_path / 'data')
    topics = {
        f'/{subject}': [image(rgb) for rgb in photographs(subject, 12)]
        for subject in ('cat', 'rocket')
    }
    exam = [compressed_image(png(rgb)) for rgb in photographs('cat', 6, seed=1)]
    bag = write_bag(tmp_path / 'bag', storage, topics | {'/exam/compressed': exam})
    for subject in ('cat', 'rocket'):
        part = ('--topic', f'/{subject}', '--label', subject, '--every', '0.15', '--to', '1')
        taught = run_without_ros(*TEACH_ALL, bag, *part, *data, '--json')
        assert taught.code == 0, taught.err
        # Of those at 0.0 to 0.9 s, every second one.
        assert taught.result['stored'] == {subject: 5}
    assert run_without_ros('train', *data).code == 0
    whole = ('--topic', '/exam/compressed', '--label', 'cat')
    measured = run_without_ros('evaluate', bag, *whole, *data, '--json')
    assert measured.code == 0, measured.err
    assert measured.result['pictures'] == 6
    assert measured.result['right'] >= 5
    check_report(run_without_ros, tmp_path)


def test_output_for_users(run: Run, trained_once: Path, exam: Path) -> None:
    data = ('--data-dir', trained_once)
    for arguments, words in (
        (('evaluate', exam, *data), 'Model version 2 is right on'),
        (('samples', 'list', '--limit', '1', *data), 'in all  36'),
        (('models', 'list', *data), '2 *'),
        (('models', 'show', '1', *data), 'held-out accuracy'),
        (('--help',), 'teach'),
        (('train', '--help'), '--learning-rate'),
    ):
        ended = run(*arguments)
        assert ended.code == 0
        assert words in ended.out


def test_usage_errors_exit_with_two(run: Run, tmp_path: Path) -> None:
    for arguments in (
        ('fly',),
        ('teach',),
        ('teach', tmp_path, '--min-novelty', '3'),
        ('teach', tmp_path, '--min-novelty', 'nan'),
        ('teach', tmp_path, '--label', 'cup'),
        ('teach', tmp_path, '--topic', '/x'),
        ('train', '--num-iter', '0'),
        ('train', '--learning-rate', 'fast'),
        ('train', '--validation-fraction', '1', '--data-dir', tmp_path),
        ('classify',),
        ('samples', 'remove', '--data-dir', tmp_path),
        ('samples', 'relabel', 'x', '--data-dir', tmp_path),
        ('models', 'use', '0'),
    ):
        ended = run(*arguments)
        assert ended.code == 2, arguments
        assert ended.problem


@pytest.mark.parametrize('command', ['teach', 'evaluate', 'classify'])
@pytest.mark.parametrize('device', ['gpu', '', 'usb:', 'CPU'])
def test_an_invalid_device_is_a_usage_error(
    command: str, device: str, run: Run, trained_once: Path, lessons: Path
) -> None:
    ended = run(command, lessons, '--device', device, '--data-dir', trained_once)
    assert ended.code == 2
    assert ended.err.startswith('Usage: ')
    assert f' {command} [OPTIONS] ' in ended.err
    assert f"Invalid value for '--device': device is {device!r}; it must be 'auto'" in ended.err
    assert ended.err.endswith("as in 'usb:0'.\n")


def test_missing_numbers_are_null_in_json(run: Run, tmp_path: Path, lessons: Path) -> None:
    for subject in ('cat', 'coins'):
        (tmp_path / 'few' / subject).mkdir(parents=True)
        (tmp_path / 'few' / subject / 'a.png').symlink_to(lessons / subject / '000.png')
    data = ('--data-dir', tmp_path / 'data')
    assert run(*TEACH_ALL, tmp_path / 'few', *data).code == 0
    trained = run('train', *data, '--json')
    assert trained.code == 0
    assert trained.result['validation_accuracy'] is None
    json.loads(trained.out, parse_constant=pytest.fail)
