# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.model_file.metadata import label_file
from edgetpu_retrain.model_file.metadata.label_file import coral_label_file, read_label_file
import pytest

LABELS = ('daisy', 'red rose', 'Löwenzahn', '7 up')


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / 'labels.txt'
    path.write_bytes(coral_label_file(LABELS))
    assert path.read_text(encoding='utf-8').splitlines()[1] == '1 red rose'
    assert read_label_file(path, 4) == LABELS


@pytest.mark.parametrize(
    ('content', 'labels'),
    [
        ('daisy\nrose\n', ('daisy', 'rose')),
        ('0  background\r\n1  tench\r\n', ('background', 'tench')),
        ('0:background\n1: tench\n', ('background', 'tench')),
        ('0,Tanpa Topi\n1, Topi\n', ('Tanpa Topi', 'Topi')),
        ('0\tcat\n1\tdog\n', ('cat', 'dog')),
        ('1 cat\n2 dog\n', ('cat', 'dog')),
        ('2 dog\n1 cat\n', ('cat', 'dog')),
        ('tench, Tinca tinca\ngoldfish\n', ('tench, Tinca tinca', 'goldfish')),
        # Numbers that are not those of outputs.
        ('10 Rupees\n20 Rupees\n', ('10 Rupees', '20 Rupees')),
        ('1 euro\n3 euro\n', ('1 euro', '3 euro')),
        # One line that is not numbered: these are names.
        ('2 euro\n1 euro\ncent\n', ('2 euro', '1 euro', 'cent')),
        # One number twice: likewise.
        ('1 euro\n1 cent\n', ('1 euro', '1 cent')),
        # A name of a number only.
        ('0\n1\n', ('0', '1')),
        ('[unused]\ncat\n', ('[unused]', 'cat')),
        ('["cat", "dog"]', ('cat', 'dog')),
        ('{"0": "cat", "1": "dog"}', ('cat', 'dog')),
        ('{"2": "dog", "1": "cat"}', ('cat', 'dog')),
        ('{"cat": 0, "dog": 1}', ('cat', 'dog')),
        ('{"0": ["n02123045", "cat"], "1": ["n02084071", "dog"]}', ('cat', 'dog')),
        ('{"model_type": "vit", "id2label": {"0": "cat", "1": "dog"}}', ('cat', 'dog')),
    ],
)
def test_label_file_formats(content: str, labels: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / 'labels.txt').write_bytes(content.encode())
    assert read_label_file(tmp_path / 'labels.txt', len(labels)) == labels


@pytest.mark.parametrize(
    ('content', 'classes', 'labels'),
    [
        ('2 c\n0 a\n\n', 3, ('a', '1', 'c')),
        ('3 c\n1 a\n\n', 3, ('a', '2', 'c')),
        ('1 a\n2 b\n', 3, ('0', 'a', 'b')),
        ('0 a\n1 b\n', 3, ('a', 'b')),
        # More left out than any real numbering has.
        ('999999 last\n', 1_000_000, ('999999 last',)),
    ],
)
def test_a_list_may_skip_numbers_of_the_model(
    content: str, classes: int, labels: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / 'labels.txt').write_bytes(content.encode())
    assert read_label_file(tmp_path / 'labels.txt', classes) == labels


@pytest.mark.parametrize(
    ('encoding', 'warned'),
    [
        ('utf-8', False),
        ('utf-8-sig', False),
        ('utf-16', False),
        ('utf-32', False),
        ('latin-1', True),
    ],
)
def test_encodings(encoding: str, warned: bool, tmp_path: Path) -> None:
    path = tmp_path / 'labels.txt'
    path.write_bytes('0 Café\r\n1 Thé\r\n'.encode(encoding))
    reports = list[str]()
    assert read_label_file(path, 2, reports.append) == ('Café', 'Thé')
    assert [('Latin-1' in each) for each in reports] == [True] * warned
    path.write_bytes(b'\xfe\xff' + '0 Café\n1 Thé\n'.encode('utf-16-be'))
    assert read_label_file(path, 2) == ('Café', 'Thé')


@pytest.mark.parametrize(
    'content',
    ['{"0": "cat", "7": "dog"}', '{"a": "b"}', '[1, 2]', '{"id2label": 3}', '{}', '[""]'],
)
def test_other_json_is_rejected(content: str, tmp_path: Path) -> None:
    path = tmp_path / 'labels.txt'
    path.write_text(content)
    with pytest.raises(ModelFileError, match=r'is JSON, but neither|no class names'):
        read_label_file(path, 2)


@pytest.mark.parametrize('encoding', ['utf-16-le', 'utf-16-be'])
def test_utf_16_needs_no_mark(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / 'labels.txt'
    path.write_bytes('0 Café\r\n1 日本\r\n'.encode(encoding))
    reports = list[str]()
    assert read_label_file(path, 2, reports.append) == ('Café', '日本')
    (report,) = reports
    assert f'read as {encoding}' in report


def test_the_form_and_the_way_out_are_named(tmp_path: Path) -> None:
    path = tmp_path / 'labels.pbtxt'
    path.write_text("item { id: 1 name: 'cat' }\nitem { id: 7 name: 'dog' }")
    with pytest.raises(ModelFileError, match=r'is a label map \(pbtxt\), .*one name per line'):
        read_label_file(path, 2)


def test_invalid_label_files_are_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'labels.txt'
    with pytest.raises(ModelFileError, match='cannot be read'):
        read_label_file(path, 2)
    path.write_bytes(b' \n')
    with pytest.raises(ModelFileError, match='no class names'):
        read_label_file(path, 2)
    path.write_bytes(b'\xff\xfex')
    with pytest.raises(ModelFileError, match='begins as utf-16, and is none'):
        read_label_file(path, 2)
    path.write_bytes(b'\x89PNG\0')
    with pytest.raises(ModelFileError, match='is no text'):
        read_label_file(path, 2)
    path.write_bytes(b'999999999 a class that would make a list of a billion\n')
    assert len(read_label_file(path, 1)) == 1
    path.write_text('[' * 100_000)
    assert len(read_label_file(path, 1)) == 1
    monkeypatch.setattr(label_file, '_MAX_BYTES', 3)
    with pytest.raises(ModelFileError, match='bytes'):
        read_label_file(path, 2)
