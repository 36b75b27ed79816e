# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Bad input gives one helpful sentence and the right exit code."""

from __future__ import annotations

from pathlib import Path
import shutil

from edgetpu_retrain.extractors import default_extractor_path
import numpy as np
import pytest
from support.bags import image, photographs, png, text, write_bag
from support.command_line_types import Run, TEACH_ALL
from support.small_models import build_extractor

TOPIC = '/camera/image_raw'
CALL_WAS_WRONG, WORK_FAILED = 2, 1


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    rgb = photographs('cat', 1)[0]
    return write_bag(tmp_path / 'bag', 'mcap', {TOPIC: [image(rgb)], '/chatter': [text('a')]})


def test_other_folders_than_class_folders(run: Run, tmp_path: Path) -> None:
    data = ('--data-dir', tmp_path / 'data')
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'flat').mkdir()
    (tmp_path / 'flat' / '1.png').write_bytes(png(np.zeros((8, 8, 3), np.uint8)))
    (tmp_path / 'hollow' / 'cat').mkdir(parents=True)
    for command in ('teach', 'evaluate'):
        for name, words in (
            ('nowhere', 'there is no folder'),
            ('empty', 'nothing in it'),
            ('flat', 'no sub-folders: put the pictures of each class into a sub-folder'),
            ('hollow', 'no pictures in them'),
            ('flat/1.png', 'is a file (unpack a zip first): put the pictures of each class into'),
        ):
            ended = run(command, tmp_path / name, *data)
            assert ended.code == CALL_WAS_WRONG
            assert words in ended.problem


def test_one_unreadable_picture_is_reported_and_skipped(
    run: Run, lessons: Path, tmp_path: Path
) -> None:
    data = ('--data-dir', tmp_path / 'data')
    shutil.copytree(lessons, tmp_path / 'photographs')
    for name, content in (
        ('bomb.png', b'\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xff\xff\0\0\xff\xff\x08\x02\0\0\0'),
        ('cut.png', (lessons / 'cat' / '000.png').read_bytes()[:5000]),
        ('notes.jpg', b'hello'),
        ('notes.txt', b'hello'),
    ):
        (tmp_path / 'photographs' / 'cat' / name).write_bytes(content)
    taught = run(*TEACH_ALL, tmp_path / 'photographs', *data, '--json')
    assert taught.code == 0
    assert taught.result['stored']['cat'] == 12
    reasons = {Path(each['picture']).name: each['reason'] for each in taught.result['unreadable']}
    assert set(reasons) == {'bomb.png', 'cut.png', 'notes.jpg'}
    assert 'megapixels' in reasons['bomb.png']
    assert taught.err.count('is skipped') == 3
    assert taught.result['other_files'] == {'.txt': 1}


def test_the_command_fails_if_no_picture_can_be_read(
    run: Run, trained_once: Path, tmp_path: Path
) -> None:
    (tmp_path / 'photographs' / 'cat').mkdir(parents=True)
    (tmp_path / 'photographs' / 'cat' / '1.jpg').write_bytes(b'hello')
    for command in ('teach', 'evaluate', 'classify'):
        data = tmp_path / 'data' if command == 'teach' else trained_once
        ended = run(command, tmp_path / 'photographs', '--data-dir', data)
        assert ended.code == WORK_FAILED
        assert 'could be read; the first one: the picture (5 bytes' in ended.problem
        assert 'is neither JPEG, PNG nor WEBP: send one of these' in ended.problem


@pytest.mark.parametrize(
    ('part', 'words'),
    [
        (('--topic', '/x'), f'choose one of its topics of pictures, {TOPIC} (sensor_msgs'),
        ((), f'no topic was given: choose one of its topics of pictures, {TOPIC}'),
        (('--topic', '/chatter'), 'std_msgs/msg/String, which holds no picture'),
        (('--topic', TOPIC, '--from', '60'), 'begin earlier'),
        (('--topic', TOPIC, '--from', '2', '--to', '1'), 'let it end after it begins'),
        (('--topic', TOPIC, '--label', '../x'), 'without slashes'),
        (('--topic', TOPIC, '--label', 'unknown'), 'reserved'),
    ],
)
def test_bags_with_another_topic_or_type(
    part: tuple[str, ...], words: str, run: Run, bag: Path, tmp_path: Path
) -> None:
    ended = run(*TEACH_ALL, bag, '--label', 'cat', *part, '--data-dir', tmp_path / 'data')
    assert ended.code == CALL_WAS_WRONG
    assert words in ended.problem


def test_a_bag_without_label_or_with_company(run: Run, bag: Path, trained_once: Path) -> None:
    ended = run(*TEACH_ALL, bag, '--topic', TOPIC)
    assert (ended.code, '--label' in ended.problem) == (CALL_WAS_WRONG, True)
    ended = run('classify', bag, bag, '--topic', TOPIC, '--data-dir', trained_once)
    assert (ended.code, 'one bag' in ended.problem) == (CALL_WAS_WRONG, True)


def test_a_damaged_bag(run: Run, tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', 'sqlite3', {TOPIC: [image(photographs('cat', 1)[0])]})
    (file,) = bag.glob('*.db3')
    file.write_bytes(file.read_bytes()[:-3000])
    ended = run(
        *TEACH_ALL, bag, '--topic', TOPIC, '--label', 'cat', '--data-dir', tmp_path / 'data'
    )
    assert ended.code == WORK_FAILED
    assert 'sqlite3 FILE .dump' in ended.problem


def test_label_and_topic_are_for_bags(run: Run, lessons: Path, tmp_path: Path) -> None:
    data = ('--data-dir', tmp_path / 'data')
    ended = run(*TEACH_ALL, lessons, '--label', 'cat', *data)
    assert ended.code == CALL_WAS_WRONG
    assert 'put the pictures of each class into a sub-folder' in ended.problem
    assert str(lessons / 'cat') in ended.problem
    ended = run(*TEACH_ALL, lessons, '--topic', TOPIC, *data)
    assert (ended.code, 'a folder that has metadata.yaml' in ended.problem) == (2, True)


def test_invalid_models_and_models_without_labels(run: Run, exam: Path, tmp_path: Path) -> None:
    (tmp_path / 'bare.tflite').write_bytes(build_extractor('uint8', dimension=4))
    (tmp_path / 'text.tflite').write_text('hello')
    (tmp_path / 'labels.txt').write_text('0 a\n1 b\n2 c\n')
    (tmp_path / 'data').mkdir()
    data = ('--data-dir', tmp_path / 'data')
    for model, code, words in (
        ('', CALL_WAS_WRONG, 'no trained model'),
        (tmp_path / 'nowhere.tflite', CALL_WAS_WRONG, 'there is no model file'),
        (tmp_path / 'text.tflite', WORK_FAILED, 'not a TensorFlow Lite model'),
        (tmp_path / 'bare.tflite', CALL_WAS_WRONG, '--labels'),
    ):
        for command in ('evaluate', 'classify'):
            ended = run(command, exam, '--model', model, *data)
            assert ended.code == code
            assert words in ended.problem
    few = ('--model', tmp_path / 'bare.tflite', '--labels', tmp_path / 'labels.txt')
    ended = run('classify', exam, *few, *data)
    assert (ended.code, '3 labels for the 4 classes' in ended.problem) == (CALL_WAS_WRONG, True)
    ended = run('classify', exam, '--model', '7', *data)
    assert (ended.code, 'no model version 7' in ended.problem) == (CALL_WAS_WRONG, True)


def test_an_extractor_that_does_not_match_the_store(
    run: Run, trained_once: Path, tmp_path: Path
) -> None:
    other = tmp_path / 'other.tflite'
    other.write_bytes(build_extractor('uint8', dimension=16))
    for command in (('train',), ('samples', 'list'), ('samples', 'remove', '--label', 'cat')):
        ended = run(*command, '--extractor', other, '--data-dir', trained_once)
        assert ended.code == CALL_WAS_WRONG
        assert 'does not match the store: its 36 samples were made by another' in ended.problem
    ended = run('train', '--extractor', tmp_path / 'nowhere', '--data-dir', trained_once)
    assert (ended.code, 'no model file' in ended.problem) == (CALL_WAS_WRONG, True)


def test_teaching_with_another_extractor_is_reported(
    run: Run, lessons: Path, tmp_path: Path
) -> None:
    data = ('--data-dir', tmp_path / 'data')
    other = tmp_path / 'other.tflite'
    other.write_bytes(build_extractor('uint8', dimension=16))
    assert run(*TEACH_ALL, lessons, '--extractor', other, *data).code == 0
    again = run(*TEACH_ALL, lessons, '--extractor', default_extractor_path(), *data)
    assert again.code == 0
    assert '36 samples' in again.err
    assert 'do not count together' in again.err


def test_one_class_is_too_few_to_train(run: Run, bag: Path, tmp_path: Path) -> None:
    (tmp_path / 'data').mkdir()
    data = ('--data-dir', tmp_path / 'data')
    ended = run('train', *data)
    assert (ended.code, 'no class was taught' in ended.problem) == (WORK_FAILED, True)
    assert run(*TEACH_ALL, bag, '--topic', TOPIC, '--label', 'cat', *data).code == 0
    ended = run('train', *data)
    assert (ended.code, 'two classes' in ended.problem) == (WORK_FAILED, True)


def test_folders_of_classes_that_the_model_does_not_have(
    run: Run, trained_once: Path, exam: Path, tmp_path: Path
) -> None:
    shutil.copytree(exam / 'cat', tmp_path / 'strange' / 'kitten')
    ended = run('evaluate', tmp_path / 'strange', '--data-dir', trained_once)
    assert ended.code == CALL_WAS_WRONG
    assert 'shows kitten, and the classes of the model are cat, coffee, coins' in ended.problem
    shutil.copytree(exam / 'coins', tmp_path / 'strange' / 'coins')
    ended = run('evaluate', tmp_path / 'strange', '--data-dir', trained_once, '--json')
    assert ended.code == 0
    assert 'kitten are no classes of the model' in ended.err
    assert ended.result['names'] == ['cat', 'coffee', 'coins', 'kitten', 'unknown']


def test_an_impossible_data_folder(run: Run, lessons: Path, tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    ended = run(*TEACH_ALL, lessons, '--data-dir', tmp_path / 'file' / 'data')
    assert ended.code == WORK_FAILED
    assert 'data folder' in ended.problem


def test_a_folder_of_a_user_who_does_not_exist(run: Run, lessons: Path) -> None:
    for command in (
        ('train', '--data-dir'),
        ('samples', 'list', '--data-dir'),
        ('models', 'list', '--data-dir'),
        ('teach', lessons, '--data-dir'),
        ('fleet', 'status', '--folder'),
    ):
        ended = run(*command, '~nobody_has_this_name/data')
        assert (ended.code, 'user who has none here' in ended.problem) == (CALL_WAS_WRONG, True)
