# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path
import struct

import cv2
from edgetpu_retrain.errors import ImageError, RequestError
from edgetpu_retrain.recordings import picture_folder
from edgetpu_retrain.recordings.picture_folder import (
    class_folders,
    files_of,
    labelled_pictures,
    plain_pictures,
)
from edgetpu_retrain.recordings.tally import Tally
import numpy as np
import pytest
from support.bags import photographs, png, write_class_folders


def test_sub_folders_are_classes_and_their_files_pictures(tmp_path: Path) -> None:
    write_class_folders(tmp_path, ('cat', 'coins'), 2)
    (tmp_path / 'LICENSE').write_text('not a class')
    (tmp_path / '.hidden').mkdir()
    (tmp_path / 'empty').mkdir()
    classes = class_folders(tmp_path)
    assert {label: len(files) for label, files in classes.items()} == {'cat': 2, 'coins': 2}
    pictures = list(labelled_pictures(tmp_path, classes))
    assert [each.label for each in pictures] == ['cat', 'cat', 'coins', 'coins']
    assert pictures[0].name == str(tmp_path / 'cat' / '000.png')
    assert np.array_equal(pictures[0].read().whole, photographs('cat', 1)[0])


def test_sub_folders_of_a_class_are_that_class(tmp_path: Path) -> None:
    for name in ('cat/1.png', 'cat/monday/2.png', 'cat/monday/noon/3.png', 'dog/monday/1.png'):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'x')
    (tmp_path / 'cat' / 'monday' / '.hidden.png').touch()
    tally, reports = Tally(), list[str]()
    classes = class_folders(tmp_path, tally=tally, report=reports.append)
    names = [str(each.relative_to(tmp_path)) for each in classes['cat']]
    assert names == ['cat/1.png', 'cat/monday/2.png', 'cat/monday/noon/3.png']
    pictures = list(labelled_pictures(tmp_path, classes))
    assert [(each.recording, each.is_single) for each in pictures] == [
        (str(tmp_path / 'cat' / '1.png'), True),
        (str(tmp_path / 'cat' / 'monday'), False),
        (str(tmp_path / 'cat' / 'monday'), False),
        (str(tmp_path / 'dog' / 'monday'), False),
    ]
    assert len(classes['dog']) == 1
    assert (tally.found, tally.used, reports) == (4, 4, [])


def test_loose_pictures_and_empty_folders_are_reported(tmp_path: Path) -> None:
    write_class_folders(tmp_path, ('cat',), 1)
    (tmp_path / 'dog').mkdir()
    for name in ('loose.JPG', 'other.png', 'LICENSE', 'labels.txt'):
        (tmp_path / name).write_bytes(b'x')
    (tmp_path / 'cat' / 'link').symlink_to(tmp_path)
    tally, reports = Tally(), list[str]()
    assert set(class_folders(tmp_path, tally=tally, report=reports.append)) == {'cat'}
    assert (tally.found, tally.left_out) == (3, {'beside the folders of classes': 2})
    link, empty, loose = reports
    assert 'link is left out: it is a link' in link
    assert "'dog' is left out: it has no pictures" in empty
    assert '2 pictures' in loose
    assert 'loose.JPG, other.png' in loose


OF_PROGRAMS = ('@eaDir', '__MACOSX', '__pycache__', '.git', '.ipynb_checkpoints', '.hidden')


def test_folders_of_programs_are_no_classes(tmp_path: Path) -> None:
    for name in ('cat', 'dog', *OF_PROGRAMS, *(f'cat/{each}' for each in OF_PROGRAMS)):
        (tmp_path / name).mkdir()
        (tmp_path / name / '1.png').write_bytes(b'x')
    tally, reports = Tally(), list[str]()
    classes = class_folders(tmp_path, tally=tally, report=reports.append)
    assert {label: len(files) for label, files in classes.items()} == {'cat': 1, 'dog': 1}
    assert (tally.found, tally.used, reports) == (2, 2, [])
    assert tally.other_files == {'@eaDir/': 2, '__MACOSX/': 2, '__pycache__/': 2}
    assert [each.parent.name for each in files_of([tmp_path])] == ['cat', 'dog']


def test_other_files_beside_pictures_are_counted_apart(tmp_path: Path) -> None:
    (tmp_path / 'cat').mkdir()
    (tmp_path / 'notes').mkdir()
    jpeg = cv2.imencode('.jpg', np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    for name, content in (
        ('cat/1.JPG', b'no picture'),
        ('cat/2', jpeg),
        ('cat/3.jpg.bak', jpeg),
        ('cat/4.heic', b''),
        ('cat/Thumbs.db', b'x'),
        ('cat/desktop.ini', b'x'),
        ('cat/.DS_Store', b'x'),
        ('cat/1.xml', b'x'),
        ('cat/2.xml', b'x'),
        ('cat/labels.txt', b''),
        ('README', b'x'),
        ('notes/labels.json', b'x'),
    ):
        (tmp_path / name).write_bytes(content)
    os.mkfifo(tmp_path / 'cat' / 'pipe')
    # A file that cannot be read, not even by root.
    (tmp_path / 'cat' / '5').symlink_to('/proc/self/mem')
    (tmp_path / 'cat' / 'loop').symlink_to('loop')
    others = {'.xml': 2, '.db': 1, '.ini': 1, '.txt': 1, 'pipe': 1, 'loop': 1, '.json': 1}
    for classes in (True, False):
        tally, reports = Tally(), list[str]()
        if classes:
            found = class_folders(tmp_path, tally=tally, report=reports.append)['cat']
            assert reports == [f"in {tmp_path}, 'notes' is left out: it has no pictures"]
        else:
            found = files_of([tmp_path], tally=tally)
        assert [each.name for each in found] == ['1.JPG', '2', '3.jpg.bak', '4.heic', '5']
        assert (tally.found, tally.used) == (5, 5)
        assert tally.other_files == {**others, 'README': 1}
        assert 'other files: 2 .xml, 1 ' in tally.line('stored')


def test_a_link_to_a_folder_around_is_no_class(tmp_path: Path) -> None:
    for name in ('other/bird', 'folder/cat'):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / '1.png').write_bytes(b'x')
    (tmp_path / 'folder' / 'self').symlink_to('.')
    (tmp_path / 'folder' / 'up').symlink_to(tmp_path)
    (tmp_path / 'folder' / 'bird').symlink_to(tmp_path / 'other' / 'bird')
    tally, reports = Tally(), list[str]()
    classes = class_folders(tmp_path / 'folder', tally=tally, report=reports.append)
    assert list(classes) == ['bird', 'cat']
    assert tally.found == 2
    assert all('left out: it is a link to a folder around it' in each for each in reports)
    assert len(reports) == 2


def test_a_data_set_in_parts_is_rejected(tmp_path: Path) -> None:
    for part in ('train', 'val'):
        (tmp_path / part).mkdir()
        write_class_folders(tmp_path / part, ('cat', 'coins'), 1)
    with pytest.raises(RequestError, match=r'in parts \(train, val\).*such as .*train'):
        class_folders(tmp_path)
    assert set(class_folders(tmp_path / 'train')) == {'cat', 'coins'}
    # A class may have such a name.
    write_class_folders(tmp_path, ('coffee',), 1)
    assert set(class_folders(tmp_path)) == {'coffee', 'train', 'val'}


def test_names_that_no_class_can_have_are_left_out(tmp_path: Path) -> None:
    for name in ('cat', 'cat ', ' dog', 'unknown', 'x\x1b[2J'):
        (tmp_path / name).mkdir()
        for number in range(2):
            (tmp_path / name / f'{name}{number}.png').write_bytes(b'x')
    tally, reports = Tally(), list[str]()
    classes = class_folders(tmp_path, tally=tally, report=reports.append)
    assert {label: len(files) for label, files in classes.items()} == {'cat': 4, 'dog': 2}
    assert (tally.found, tally.left_out) == (10, {'in folders that cannot be classes': 4})
    assert len(reports) == 4
    assert [each for each in reports if "'unknown' is left out" in each and 'reserved' in each]
    assert [each for each in reports if "empty table, use 'background'" in each]
    assert [each for each in reports if "' dog' is class 'dog'" in each]
    assert 'unknown' in class_folders(tmp_path, for_teaching=False)


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        ([], 'nothing in it'),
        (['1.jpg', '2.jpg'], '2 files but no sub-folders'),
        (['cat/', 'dog/'], 'no pictures in them'),
        (['cat/1.txt', 'cat/2.xml'], r'no pictures in them \(other files: 1 .txt, 1 .xml\)'),
        (['1.zip'], '1 file but no sub-folders'),
        (['@eaDir/1.jpg'], 'nothing in it'),
        (['unknown/1.jpg'], 'reserved'),
    ],
)
def test_other_folders_than_class_folders_are_rejected(
    content: list[str], words: str, tmp_path: Path
) -> None:
    for name in content:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.mkdir() if name.endswith('/') else path.write_bytes(b'x')
    with pytest.raises(RequestError, match=words):
        class_folders(tmp_path)


def test_a_folder_that_is_not_there_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match='there is no folder'):
        class_folders(tmp_path / 'nowhere')
    with pytest.raises(RequestError, match='there is no'):
        files_of([tmp_path / 'nowhere'])
    with pytest.raises(RequestError, match='there are no pictures'):
        files_of([tmp_path])


def test_files_below_a_folder_are_found_once(tmp_path: Path) -> None:
    write_class_folders(tmp_path / 'a', ('cat', 'coins'), 1)
    (tmp_path / 'a' / 'loop').symlink_to(tmp_path)
    single = tmp_path / 'single.png'
    single.write_bytes(png(photographs('rocket', 1)[0]))
    tally = Tally()
    files = files_of([tmp_path / 'a', single], tally=tally)
    assert tally.found == 3
    assert [path.parent.name for path in files] == ['cat', 'coins', tmp_path.name]
    assert all(each.label == '' for each in plain_pictures(files))


def bomb() -> bytes:
    # A PNG file whose header declares 60000 x 60000 pixels.
    size = struct.pack('>II', 60_000, 60_000)
    return b'\x89PNG\r\n\x1a\n' + struct.pack('>I', 13) + b'IHDR' + size + b'\x08\x02\0\0\0'


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (b'', 'neither JPEG, PNG nor WEBP'),
        (b'hello', 'neither JPEG, PNG nor WEBP'),
        (png(np.zeros((40, 40, 3), np.uint8))[:60], 'damaged|decoded|cut off'),
        (bomb(), 'megapixels'),
    ],
)
def test_other_files_than_pictures_raise_when_read(
    content: bytes, words: str, tmp_path: Path
) -> None:
    (tmp_path / 'x.jpg').write_bytes(content)
    (picture,) = plain_pictures(files_of([tmp_path / 'x.jpg']))
    with pytest.raises(ImageError, match=words):
        _ = picture.read().whole


def test_a_file_that_is_too_large_is_not_even_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_folder, 'MAX_FILE_BYTES', 10)
    (tmp_path / 'x.jpg').write_bytes(bytes(11))
    with pytest.raises(ImageError, match='11 bytes'):
        next(iter(plain_pictures([tmp_path / 'x.jpg']))).read()


def test_a_dangling_link_is_not_a_picture(tmp_path: Path) -> None:
    (tmp_path / 'x.jpg').symlink_to(tmp_path / 'gone.jpg')
    with pytest.raises(ImageError, match='no file'):
        next(iter(plain_pictures([tmp_path / 'x.jpg']))).read()
