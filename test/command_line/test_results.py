# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Output of classify: text, JSON lines, CSV and annotated pictures."""

from __future__ import annotations

import csv
import errno
import json
import os
from pathlib import Path
import shutil

import cv2
from edgetpu_retrain.recordings.picture_folder import files_of, plain_pictures
from edgetpu_retrain.runtime.models.extractor import Extractor
import numpy as np
import pytest
from support.bags import BEGIN, image, photographs, write_bag
from support.command_line_types import Run
from support.small_models import build_extractor

TOPIC = '/camera/image_raw'


def test_json_lines(run: Run, trained_once: Path, exam: Path, tmp_path: Path) -> None:
    (tmp_path / 'broken.jpg').write_bytes(b'hello')
    first = exam / 'cat' / '000.png'
    ended = run('classify', first, tmp_path / 'broken.jpg', '--json', '--data-dir', trained_once)
    assert ended.code == 0
    answer, fault = map(json.loads, ended.out.splitlines())
    assert answer['picture'] == str(first)
    assert (answer['label'], answer['unknown'], answer['model_version']) == ('cat', False, 2)
    assert answer['score'] == pytest.approx(answer['scores']['cat'])
    assert set(answer['scores']) == {'cat', 'coffee', 'coins'}
    assert 'neither JPEG, PNG nor WEBP' in fault['error']


@pytest.mark.usefixtures('without_xnnpack')
def test_a_slow_runtime_is_reported_once(run: Run, trained_once: Path, exam: Path) -> None:
    ended = run('classify', exam / 'cat', '--data-dir', trained_once)
    assert ended.code == 0
    assert ended.err.count('without XNNPACK') == 1
    assert ended.err.startswith('warning: ai-edge-litert ')


def test_csv_of_a_bag_in_a_file(run: Run, trained_once: Path, tmp_path: Path) -> None:
    frames = [image(rgb, BEGIN + 5) for rgb in photographs('coins', 4, seed=1)]
    bag = write_bag(tmp_path / 'bag', 'sqlite3', {TOPIC: frames})
    file = tmp_path / 'answers.csv'
    options = ('--topic', TOPIC, '--every', '0.2', '--form', 'csv', '--output', file)
    ended = run('classify', bag, *options, '--data-dir', trained_once)
    assert (ended.code, ended.out) == (0, '')
    rows = list(csv.DictReader(file.open(encoding='utf-8')))
    assert len(rows) == 2
    assert rows[0]['picture'].endswith('/camera/image_raw at 0.000 s')
    assert {row['stamp_ns'] for row in rows} == {str(BEGIN + 5)}
    assert {row['camera'] for row in rows} == {TOPIC}
    assert {row['label'] for row in rows} <= {'coins', 'unknown'}
    ended = run('classify', bag, '--topic', TOPIC, '--output', tmp_path / 'no' / 'x')
    assert ended.code == 2


def test_annotated_pictures(run: Run, trained_once: Path, exam: Path, tmp_path: Path) -> None:
    folder = tmp_path / 'shown'
    options = ('--annotated', folder, '--data-dir', trained_once)
    ended = run('classify', exam / 'coffee', *options)
    assert ended.code == 0
    assert ended.out.splitlines()[0].endswith(' %')
    assert min(each.name for each in folder.iterdir()) == '000001.jpg'
    assert len(list(folder.iterdir())) == 8
    shown = cv2.imread(str(folder / '000001.jpg'))
    plain = cv2.imread(str(exam / 'coffee' / '000.png'))
    assert shown.shape[0] > plain.shape[0] * shown.shape[1] / plain.shape[1]
    ended = run('classify', exam / 'coffee', *options)
    assert (ended.code, 'not empty' in ended.problem) == (2, True)


def test_a_full_disk_is_named_with_the_file(
    run: Run, trained_once: Path, exam: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path, _content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, 'write_bytes', fail)
    for options, file in (
        (('--output', '/dev/full'), '/dev/full'),
        (('--annotated', tmp_path / 'shown'), tmp_path / 'shown' / '000001.jpg'),
    ):
        ended = run('classify', exam / 'coffee', *options, '--data-dir', trained_once)
        assert ended.code == 1
        assert f'Cannot write {file}: No space left on device' in ended.problem


def test_any_classifier_with_labels_is_measured(run: Run, exam: Path, tmp_path: Path) -> None:
    # To the runtime an extractor is a classifier; its largest number is the answer.
    model = build_extractor('uint8', dimension=3)
    (tmp_path / 'model.tflite').write_bytes(model)
    (tmp_path / 'labels.txt').write_text('0 cat\n1 coffee\n2 coins\n')
    extractor = Extractor(model)
    expected = np.zeros((3, 3), int)
    for picture in plain_pictures(files_of([exam])):
        truth = ('cat', 'coffee', 'coins').index(Path(picture.name).parent.name)
        expected[truth, int(np.argmax(extractor.embed(picture.read().whole)))] += 1
    given = ('--model', tmp_path / 'model.tflite', '--labels', tmp_path / 'labels.txt', '--json')
    ended = run('evaluate', exam, *given)
    assert ended.code == 0
    matrix = np.array(ended.result['confusion_matrix'])
    assert np.array_equal(matrix[:3, :3], expected)
    assert matrix.sum() == expected.sum() == 24
    assert ended.result['model_version'] == 0


@pytest.mark.parametrize(
    ('content', 'warning'),
    [
        ('\ufeff0 Café\r\n1 Thé\r\n'.encode(), False),
        ('0 Café\n1 Thé\n'.encode('utf-16'), False),
        ('0 Café\n1 Thé\n'.encode('latin-1'), True),
        ('1,Café\n2,Thé\n'.encode(), False),
        (b'{"0": "Caf\\u00e9", "1": "Th\\u00e9"}', False),
    ],
)
def test_label_files_of_all_kinds(
    run: Run, exam: Path, tmp_path: Path, content: bytes, warning: bool
) -> None:
    (tmp_path / 'model.tflite').write_bytes(build_extractor('uint8', dimension=2))
    (tmp_path / 'labels.txt').write_bytes(content)
    options = ('--model', tmp_path / 'model.tflite', '--labels', tmp_path / 'labels.txt', '--json')
    ended = run('classify', exam / 'cat' / '000.png', *options)
    assert ended.code == 0
    assert set(json.loads(ended.out)['scores']) == {'Café', 'Thé'}
    assert ('it is read as Latin-1' in ended.err) == warning


def test_undecodable_file_names_are_printed_escaped(
    run: Run, trained_once: Path, exam: Path, tmp_path: Path
) -> None:
    strange = tmp_path / 'caf\udce9.png'
    shutil.copy(exam / 'cat' / '000.png', strange)
    for form in ('text', 'jsonl', 'csv'):
        ended = run('classify', tmp_path, '--form', form, '--data-dir', trained_once)
        assert ended.code == 0
        assert '\\udce9' in ended.out


@pytest.fixture
def with_background(run: Run, lessons: Path, tmp_path: Path) -> Path:
    """Return a data folder with a model of a cat and of the background, which shows coins."""
    shutil.copytree(lessons / 'cat', tmp_path / 'lessons' / 'cat')
    shutil.copytree(lessons / 'coins', tmp_path / 'lessons' / 'background')
    for command in (('teach', tmp_path / 'lessons', '--min-novelty', '-1'), ('train',)):
        assert run(*command, '--data-dir', tmp_path / 'data').code == 0
    return tmp_path / 'data'


def test_the_background_is_classified_as_unknown(
    run: Run, with_background: Path, exam: Path
) -> None:
    given = (exam / 'coins' / '000.png', '--json', '--data-dir', with_background)
    found = json.loads(run('classify', *given).out)
    assert (found['label'], found['unknown']) == ('unknown', True)
    assert set(found['scores']) == {'cat', 'background'}
    found = json.loads(run('classify', *given, '--background-label', '').out)
    assert found['label'] in {'background', 'unknown'}
    assert found['unknown'] == (found['label'] == 'unknown')


def test_the_background_is_right_if_it_is_unknown(
    run: Run, with_background: Path, tmp_path: Path
) -> None:
    given = (tmp_path / 'lessons', '--json', '--data-dir', with_background)
    ended = run('evaluate', *given)
    assert ended.result['names'] == ['background', 'cat', 'unknown']
    assert ended.result['confusion_matrix'][0] == [0, 0, 12]
    assert ended.result['accuracy'] == 1.0
    ended = run('evaluate', *given, '--background-label', '')
    assert ended.result['confusion_matrix'][0][0] > 0
    exported = run('models', 'export', tmp_path / 'out', '--data-dir', with_background)
    assert exported.code == 0
    assert 'background' in (tmp_path / 'out' / 'labels.txt').read_text().split()
