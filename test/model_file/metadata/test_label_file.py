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
    assert read_label_file(path) == LABELS


@pytest.mark.parametrize(
    ('content', 'labels'),
    [
        ('daisy\nrose\n', ('daisy', 'rose')),
        ('0  background\r\n1  tench\r\n', ('background', 'tench')),
        ('0:background\n1: tench\n', ('background', 'tench')),
        ('2 c\n0 a\n\n', ('a', '1', 'c')),
        # One line that is not numbered: these are names.
        ('2 euro\n1 euro\ncent\n', ('2 euro', '1 euro', 'cent')),
        # One number twice: likewise.
        ('1 euro\n1 cent\n', ('1 euro', '1 cent')),
        # More left out than any real numbering has.
        ('999999 last\n', ('999999 last',)),
    ],
)
def test_label_file_formats(content: str, labels: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / 'labels.txt').write_bytes(content.encode())
    assert read_label_file(tmp_path / 'labels.txt') == labels


def test_invalid_label_files_are_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'labels.txt'
    with pytest.raises(ModelFileError, match='cannot be read'):
        read_label_file(path)
    path.write_bytes(b' \n')
    with pytest.raises(ModelFileError, match='no class names'):
        read_label_file(path)
    path.write_bytes(b'\xff\xfe')
    with pytest.raises(ModelFileError, match='UTF-8'):
        read_label_file(path)
    path.write_bytes(b'999999999 a class that would make a list of a billion\n')
    assert len(read_label_file(path)) == 1
    monkeypatch.setattr(label_file, '_MAX_BYTES', 3)
    with pytest.raises(ModelFileError, match='bytes'):
        read_label_file(path)
