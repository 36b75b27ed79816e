# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.model_file.reading import read_model
import pytest
from support.small_models import build_extractor


def test_a_model_is_read_as_it_is(tmp_path: Path) -> None:
    model = build_extractor('uint8')
    file = tmp_path / 'extractor.tflite'
    file.write_bytes(model)
    assert read_model(file) == model
    assert read_model(str(file)) == model


def test_a_tilde_stands_for_the_home_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'extractor.tflite').write_bytes(build_extractor('uint8'))
    assert read_model('~/extractor.tflite') == build_extractor('uint8')


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no model file '.*missing\.tflite'"):
        read_model(tmp_path / 'missing.tflite')


@pytest.mark.parametrize('path', ['', Path(), '~nobody-of-this-name/x.tflite', '~\0/x.tflite'])
def test_invalid_paths_are_rejected(path: str | Path) -> None:
    with pytest.raises(ModelFileError):
        read_model(path)


def test_a_folder_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match='is not a file'):
        read_model(tmp_path)


def test_a_file_of_another_kind_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / 'notes.tflite'
    file.write_text('these are notes')
    with pytest.raises(ModelFileError, match=r"notes\.tflite' is not a TensorFlow Lite model"):
        read_model(file)


def test_a_file_too_large_for_a_model_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / 'huge.tflite'
    with file.open('wb') as stream:
        # A sparse file, which takes no room on disk.
        stream.truncate(2**31)
    with pytest.raises(ModelFileError, match='less than 2 GiB'):
        read_model(file)
