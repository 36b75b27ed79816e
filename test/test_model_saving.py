# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""SoftmaxRegression as a file: the trained layer after an extractor, run in a real runtime."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
import zipfile

from ai_edge_litert.interpreter import Interpreter
from edgetpu_retrain import SoftmaxRegression
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.metadata.labels import read_labels
import numpy as np
import numpy.typing as npt
import pytest
from support.small_models import build_extractor

Bytes = npt.NDArray[np.uint8]


@pytest.fixture
def extractor(tmp_path: Path) -> Path:
    path = tmp_path / 'extractor.tflite'
    path.write_bytes(build_extractor('uint8', dimension=8))
    return path


def run(model: bytes, pictures: Bytes) -> npt.NDArray[Any]:
    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    answers = []
    for picture in pictures:
        interpreter.set_tensor(interpreter.get_input_details()[0]['index'], picture[np.newaxis])
        interpreter.invoke()
        output = interpreter.get_output_details()[0]
        answers.append(interpreter.get_tensor(output['index']).reshape(-1).copy())
    scale, zero_point = output['quantization']
    values: npt.NDArray[Any] = (np.array(answers, np.float32) - zero_point) * np.float32(scale)
    return values


def pictures_of_classes() -> tuple[Bytes, npt.NDArray[np.int64]]:
    """Return 60 pictures of 3 classes, each mostly one colour."""
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    colours = 200 * np.eye(3)[labels].reshape(60, 1, 1, 3)
    return (colours + rng.integers(0, 50, (60, 8, 8, 3))).astype(np.uint8), labels


def test_from_pictures_to_a_file_that_classifies_them(extractor: Path, tmp_path: Path) -> None:
    pictures, labels = pictures_of_classes()
    embeddings = run(extractor.read_bytes(), pictures)
    model = SoftmaxRegression(seed=0)
    data = {
        'data_train': embeddings[:40],
        'labels_train': labels[:40],
        'data_val': embeddings[40:],
        'labels_val': labels[40:],
    }
    rate = 1.0 / float(np.mean(np.sum(embeddings**2, axis=1)))
    model.train_with_sgd(data, 2000, rate, print_every=0)
    assert model.get_accuracy(embeddings[40:], labels[40:]) == 1.0

    saved = tmp_path / 'retrained.tflite'
    model.save_as_tflite_model(extractor, saved, labels=['red', 'green', 'blue'])

    scores = run(saved.read_bytes(), pictures)
    assert scores.shape == (60, 3)
    assert np.array_equal(np.argmax(scores, axis=1), labels)
    assert scores == pytest.approx(model.head().predict_proba(embeddings), rel=0, abs=0.05)
    assert read_labels(saved.read_bytes()) == ('red', 'green', 'blue')


def test_serializing_and_saving_equal_append_head(extractor: Path, tmp_path: Path) -> None:
    model = SoftmaxRegression(8, 2, seed=0)
    model.logit_range = (-3.0, 3.0)
    saved = tmp_path / 'retrained.tflite'
    model.save_as_tflite_model(str(extractor), str(saved))
    assert model.serialize_model(str(extractor)) == saved.read_bytes()
    assert saved.read_bytes() == append_head(extractor.read_bytes(), model.head())


def test_labels_are_packed_only_when_given(extractor: Path) -> None:
    model = SoftmaxRegression(8, 2, seed=0)
    plain = model.serialize_model(extractor)
    assert not zipfile.is_zipfile(io.BytesIO(plain))
    assert read_labels(plain) == ()
    labelled = model.serialize_model(extractor, labels=('cat', 'dog'))
    assert zipfile.is_zipfile(io.BytesIO(labelled))
    assert read_labels(labelled) == ('cat', 'dog')


def test_the_range_of_a_float_extractor_is_stated_or_given(tmp_path: Path) -> None:
    path = tmp_path / 'silent.tflite'
    path.write_bytes(build_extractor('float32', dimension=8, normalization=None))
    model = SoftmaxRegression(8, 2, seed=0)
    with pytest.raises(ValueError, match=r'does not state the range .* give it with input_range'):
        model.serialize_model(path)
    with pytest.raises(ValueError, match=r'input range .* is not valid'):
        model.serialize_model(path, input_range='bright')
    for chosen in ('0..1', '0..255', '-1..1'):
        saved = tmp_path / 'retrained.tflite'
        model.save_as_tflite_model(path, saved, input_range=chosen)
        assert str(describe(saved.read_bytes()).normalization) == chosen
    path.write_bytes(build_extractor('float32', dimension=8, normalization=(0.0, 255.0)))
    assert str(describe(model.serialize_model(path)).normalization) == '0..1'


def test_a_range_for_a_quantized_extractor_is_rejected(extractor: Path) -> None:
    with pytest.raises(ValueError, match=r'input_range is 0\.\.1, but .* of type uint8'):
        SoftmaxRegression(8, 2, seed=0).serialize_model(extractor, input_range='0..1')


def test_an_untrained_model_gives_a_file_that_runs(extractor: Path) -> None:
    pictures, _ = pictures_of_classes()
    for model in (SoftmaxRegression(8, 3, seed=0), SoftmaxRegression(8, 3, weight_scale=0.0)):
        assert model.logit_range == (0.0, 0.0)
        scores = run(model.serialize_model(extractor), pictures[:3])
        assert scores.sum(axis=1) == pytest.approx([1.0] * 3, abs=0.02)


@pytest.mark.parametrize(
    'labels', ['ab', ['cat'], ['cat', 'dog', 'cow'], ['cat', ''], ['cat', 3], [], 5]
)
def test_labels_that_do_not_fit_are_rejected(extractor: Path, labels: Any) -> None:
    model = SoftmaxRegression(8, 2, seed=0)
    with pytest.raises(ValueError, match=r'labels .* it must be one non-empty string for each'):
        model.serialize_model(extractor, labels=labels)


def test_a_missing_file_or_folder_is_named(extractor: Path, tmp_path: Path) -> None:
    model = SoftmaxRegression(8, 2, seed=0)
    with pytest.raises(FileNotFoundError, match=r'nowhere\.tflite'):
        model.serialize_model(tmp_path / 'nowhere.tflite')
    with pytest.raises(FileNotFoundError, match=r'nowhere\.tflite'):
        model.save_as_tflite_model(tmp_path / 'nowhere.tflite', tmp_path / 'out.tflite')
    with pytest.raises(FileNotFoundError, match=r'there is no folder .*gone.* for out_model_path'):
        model.save_as_tflite_model(extractor, tmp_path / 'gone' / 'out.tflite')
    with pytest.raises(ValueError, match=r'out_model_path is .*, a folder'):
        model.save_as_tflite_model(extractor, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['extractor.tflite']


@pytest.mark.parametrize('path', ['', None, 3, b'model.tflite'])
def test_other_objects_than_paths_are_rejected(extractor: Path, path: Any) -> None:
    model = SoftmaxRegression(8, 2, seed=0)
    with pytest.raises(ValueError, match=r'in_model_path is .*; it must be the path'):
        model.serialize_model(path)
    with pytest.raises(ValueError, match=r'out_model_path is .*; it must be the path'):
        model.save_as_tflite_model(extractor, path)


def test_an_extractor_that_does_not_fit_is_rejected(extractor: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='length 8'):
        SoftmaxRegression(9, 2).serialize_model(extractor)
    garbage = tmp_path / 'garbage.tflite'
    garbage.write_bytes(b'no model at all')
    with pytest.raises(ValueError, match=r'garbage\.tflite'):
        SoftmaxRegression(8, 2).serialize_model(garbage)


def test_a_failed_save_leaves_the_old_file_and_no_other(extractor: Path, tmp_path: Path) -> None:
    folder = tmp_path / 'out'
    folder.mkdir()
    saved = folder / 'retrained.tflite'
    SoftmaxRegression(8, 2, seed=0).save_as_tflite_model(extractor, saved)
    before = saved.read_bytes()
    with pytest.raises(ValueError, match='length 8'):
        SoftmaxRegression(9, 2).save_as_tflite_model(extractor, saved)
    assert saved.read_bytes() == before
    other = SoftmaxRegression(8, 2, seed=1)
    other.save_as_tflite_model(extractor, saved)
    assert saved.read_bytes() == other.serialize_model(extractor) != before
    assert [path.name for path in folder.iterdir()] == ['retrained.tflite']


def test_the_extractor_may_be_replaced_by_the_result(extractor: Path) -> None:
    model = SoftmaxRegression(8, 2, seed=0)
    expected = model.serialize_model(extractor)
    model.save_as_tflite_model(extractor, extractor)
    assert extractor.read_bytes() == expected
