# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.runtime.interpreters.interpreter import load_model
from edgetpu_retrain.runtime.interpreters.preprocessing import fit_to_input
from edgetpu_retrain.runtime.models.classifier import Classifier
from edgetpu_retrain.runtime.models.head_scoring import HeadScorer
import numpy as np
import numpy.typing as npt
import pytest
from support.small_models import build_extractor

DTYPES = ['uint8', 'int8', 'float32']
DIMENSION, CLASSES = 24, 5


def retrained(dtype: str, rank: int = 4, *, compiled: bool = False) -> bytes:
    rng = np.random.default_rng(3)
    weights = rng.normal(0, 0.3, (DIMENSION, CLASSES)).astype(np.float32)
    bias = rng.normal(0, 0.1, CLASSES).astype(np.float32)
    extractor = build_extractor(dtype, dimension=DIMENSION, rank=rank, compiled=compiled)
    return append_head(extractor, Head(weights, bias, logit_range=(-5.0, 5.0)))


def random_embeddings(dtype: str, count: int) -> npt.NDArray[Any]:
    rng = np.random.default_rng(9)
    if dtype == 'float32':
        return rng.uniform(0, 6, (count, DIMENSION)).astype(np.float32)
    limits = np.iinfo(dtype)
    values = rng.integers(limits.min, limits.max + 1, (count, DIMENSION))
    return values.astype(dtype)


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('rank', [2, 4])
@pytest.mark.usefixtures('runtime')
def test_the_scores_are_exactly_those_of_the_whole_file(dtype: str, rank: int) -> None:
    model = retrained(dtype, rank)
    classifier = Classifier(model)
    interpreter = load_model(model, compiled=False).interpreter
    (image,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()
    rng = np.random.default_rng(0)
    embeddings, wanted = [], []
    for rgb in rng.integers(0, 256, (6, 8, 8, 3), np.uint8):
        embeddings.append(classifier.classify(rgb).embedding)
        interpreter.set_tensor(image['index'], fit_to_input(rgb, classifier.description))
        interpreter.invoke()
        raw = interpreter.get_tensor(output['index'])[0]
        wanted.append(dequantize(raw, describe(model).quantization))
    scores = HeadScorer(model).scores(np.stack(embeddings))
    assert scores.dtype == np.float32
    np.testing.assert_array_equal(scores, np.stack(wanted))


@pytest.mark.parametrize('dtype', DTYPES)
def test_each_embedding_is_scored_for_itself(dtype: str) -> None:
    model, embeddings = retrained(dtype), random_embeddings(dtype, 7)
    scores = HeadScorer(model).scores(embeddings)
    assert scores.shape == (7, CLASSES)
    assert len(np.unique(scores, axis=0)) == 7
    np.testing.assert_array_equal(HeadScorer(model).scores(embeddings[4:5]), scores[4:5])


def test_no_embeddings_have_no_scores() -> None:
    assert HeadScorer(retrained('uint8')).scores(random_embeddings('uint8', 0)).shape == (0, 5)


def test_the_head_of_a_compiled_model_is_scored_without_an_edge_tpu() -> None:
    embeddings = random_embeddings('uint8', 3)
    np.testing.assert_array_equal(
        HeadScorer(retrained('uint8', compiled=True)).scores(embeddings),
        HeadScorer(retrained('uint8')).scores(embeddings),
    )


@pytest.mark.parametrize(
    'embeddings',
    [
        np.zeros((2, DIMENSION), np.int8),
        np.zeros((2, DIMENSION), np.float32),
        np.zeros((2, DIMENSION + 1), np.uint8),
        np.zeros(DIMENSION, np.uint8),
    ],
)
def test_embeddings_of_another_form_are_rejected(embeddings: npt.NDArray[Any]) -> None:
    with pytest.raises(ValueError, match=r'reshape|Cannot set tensor'):
        HeadScorer(retrained('uint8')).scores(embeddings)


def test_a_model_without_a_head_is_rejected() -> None:
    with pytest.raises(ModelFileError):
        HeadScorer(build_extractor('uint8')).scores(random_embeddings('uint8', 1))
