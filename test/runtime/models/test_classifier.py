# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.errors import ImageError, ModelFileError
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.runtime.interpreters import edgetpu
from edgetpu_retrain.runtime.interpreters.interpreter import load_model
from edgetpu_retrain.runtime.interpreters.preprocessing import fit_to_input, RgbArray
from edgetpu_retrain.runtime.models.classifier import Classifier
from edgetpu_retrain.runtime.models.extractor import Extractor
import numpy as np
import pytest
from support.edgetpu_stand_in import stand_in_embedding
from support.small_models import build_extractor

DTYPES = ['uint8', 'int8', 'float32']
LABELS = ('cup', 'key', 'pen', 'Tür')
DIMENSION = 32


def picture(seed: int = 0) -> RgbArray:
    """Return a picture whose colours differ from one to the next, as its embedding does then."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 5, 3), np.uint8)
    return np.ascontiguousarray(coarse.repeat(8, axis=0).repeat(8, axis=1))


def head(labels: tuple[str, ...] = LABELS) -> Head:
    rng = np.random.default_rng(5)
    weights = rng.normal(0, 0.3, (DIMENSION, len(LABELS))).astype(np.float32)
    return Head(weights, rng.normal(0, 0.1, len(LABELS)).astype(np.float32), labels, (-20.0, 20.0))


def retrained(dtype: str, rank: int = 4, *, compiled: bool = False) -> tuple[bytes, bytes]:
    """Return an extractor and the same with a head behind it."""
    extractor = build_extractor(dtype, dimension=DIMENSION, rank=rank, compiled=compiled)
    return extractor, append_head(extractor, head())


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('rank', [2, 4])
@pytest.mark.usefixtures('runtime')
def test_the_embedding_is_exactly_the_extractors(dtype: str, rank: int) -> None:
    extractor_model, model = retrained(dtype, rank)
    extractor, classifier = Extractor(extractor_model), Classifier(model)
    for seed in range(5):
        classified = classifier.classify(picture(seed))
        assert classified.embedding.dtype == dtype
        np.testing.assert_array_equal(classified.embedding, extractor.embed(picture(seed)))


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('rank', [2, 4])
@pytest.mark.usefixtures('runtime')
def test_the_scores_are_those_of_the_file_in_finer_steps(dtype: str, rank: int) -> None:
    _, model = retrained(dtype, rank)
    classifier = Classifier(model)
    interpreter = load_model(model, compiled=False).interpreter
    (image,), (scores,) = interpreter.get_input_details(), interpreter.get_output_details()
    for seed in range(5):
        tensor = fit_to_input(picture(seed), classifier.description)
        interpreter.set_tensor(image['index'], tensor)
        interpreter.invoke()
        raw = interpreter.get_tensor(scores['index'])[0]
        wanted = dequantize(raw, describe(model).quantization)
        classified = classifier.classify(picture(seed))
        assert classified.scores.dtype == np.float32
        # The file's logits have 256 steps from -20 to 20, its scores 256 from 0 to 1.
        np.testing.assert_allclose(classified.scores, wanted, atol=0.04)
        assert classified.scores.sum() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.usefixtures('runtime')
def test_the_scores_are_the_float_heads_up_to_quantization(dtype: str) -> None:
    classifier = Classifier(retrained(dtype)[1])
    seen = set()
    for seed in range(20):
        classified = classifier.classify(picture(seed))
        real = dequantize(classified.embedding, classifier.description.quantization)
        wanted = head().predict_proba(real[np.newaxis])[0]
        np.testing.assert_allclose(classified.scores, wanted, atol=0.05)
        assert abs(classified.scores.sum() - 1) < 0.02
        seen.add(int(classified.scores.argmax()))
    assert len(seen) > 1, 'the pictures are all alike to the head'


@pytest.mark.parametrize('dtype', DTYPES)
def test_the_description_is_the_extractors(dtype: str) -> None:
    extractor_model, model = retrained(dtype)
    found, wanted = Classifier(model).description, describe(extractor_model)
    assert found.identity == describe(model).identity
    for name in ('input_shape', 'input_dtype', 'output_dtype', 'dimension', 'quantization'):
        assert getattr(found, name) == getattr(wanted, name)


def test_the_labels_come_from_the_file() -> None:
    assert Classifier(retrained('uint8')[1]).labels == LABELS
    nameless = append_head(build_extractor('uint8', dimension=DIMENSION), head(()))
    assert Classifier(nameless).labels == ()


@pytest.mark.usefixtures('runtime')
def test_a_rejected_picture_leaves_the_classifier_as_it_was() -> None:
    classifier = Classifier(retrained('uint8')[1])
    before = classifier.classify(picture())
    kept = before.scores.copy(), before.embedding.copy()
    with pytest.raises(ImageError):
        classifier.classify(np.zeros((4, 4), np.uint8))
    after = classifier.classify(picture())
    for found, wanted in zip((after.scores, after.embedding), kept, strict=True):
        np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(before.scores, kept[0])
    np.testing.assert_array_equal(before.embedding, kept[1])


@pytest.mark.usefixtures('runtime')
def test_a_compiled_model_has_its_backbone_on_the_edge_tpu_and_its_head_on_the_cpu(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edgetpu, 'LIBRARY', library)
    classifier = Classifier(retrained('uint8', compiled=True)[1], device='auto')
    assert classifier.loaded.device == 'edgetpu'
    classified = classifier.classify(picture())
    tensor = fit_to_input(picture(), classifier.description)
    wanted = stand_in_embedding(tensor, DIMENSION)
    np.testing.assert_array_equal(classified.embedding, wanted)
    real = dequantize(wanted, classifier.description.quantization)
    np.testing.assert_allclose(
        classified.scores, head().predict_proba(real[np.newaxis])[0], atol=0.05
    )


def test_a_model_without_a_head_is_rejected() -> None:
    with pytest.raises(ModelFileError):
        Classifier(build_extractor('uint8'))


@pytest.mark.parametrize('dtype', ['uint8', 'int8'])
def test_the_best_of_many_classes_are_not_equal(dtype: str) -> None:
    rng = np.random.default_rng(2)
    # Small logits of many classes: all scores of the file are 2 or 3 steps of 1/256.
    weights = rng.normal(0, 0.01, (DIMENSION, 104)).astype(np.float32)
    extractor = build_extractor(dtype, dimension=DIMENSION)
    small = Head(weights, np.zeros(104, np.float32), (), (-1.0, 1.0))
    classifier = Classifier(append_head(extractor, small))
    for seed in range(5):
        classified = classifier.classify(picture(seed))
        assert len(np.unique(classified.scores)) > 100
        real = dequantize(classified.embedding, classifier.description.quantization)
        assert classified.scores.argmax() == small.predict(real[np.newaxis])[0]
