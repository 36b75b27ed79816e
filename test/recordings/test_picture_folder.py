# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
import struct

from edgetpu_retrain.errors import ImageError, RequestError
from edgetpu_retrain.recordings import picture_folder
from edgetpu_retrain.recordings.picture_folder import (
    class_folders,
    files_of,
    labelled_pictures,
    plain_pictures,
)
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
    pictures = list(labelled_pictures(classes))
    assert [each.label for each in pictures] == ['cat', 'cat', 'coins', 'coins']
    assert pictures[0].name == str(tmp_path / 'cat' / '000.png')
    assert np.array_equal(pictures[0].read().whole, photographs('cat', 1)[0])


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        ([], 'nothing in it'),
        (['1.jpg', '2.jpg'], '2 files but no sub-folders'),
        (['cat/', 'dog/'], 'no files in them'),
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
    with pytest.raises(RequestError, match='there are no files'):
        files_of([tmp_path])


def test_files_below_a_folder_are_found_once(tmp_path: Path) -> None:
    write_class_folders(tmp_path / 'a', ('cat', 'coins'), 1)
    (tmp_path / 'a' / 'loop').symlink_to(tmp_path)
    single = tmp_path / 'single.png'
    single.write_bytes(png(photographs('rocket', 1)[0]))
    files = files_of([tmp_path / 'a', single])
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
