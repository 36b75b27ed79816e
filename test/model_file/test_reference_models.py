# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The reference models and numbers, if they are next to the checkout."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgetpu_retrain import SoftmaxRegression
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.model_file.flatbuffer import parse
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.head.cut_head import cut_head
from edgetpu_retrain.model_file.metadata.labels import read_labels
from edgetpu_retrain.model_file.quantization import dequantize
import numpy as np
import pytest

CORAL = 'mobilenet_v1_1.0_224_quant_embedding_extractor'
COMPILED = f'{CORAL}_edgetpu'
NAMES = ('random16', 'trained', 'two_classes')
Run = Callable[..., list[Any]]


def reference(shared: Path, name: str) -> tuple[Any, Head]:
    golden = np.load(shared / 'reference' / 'append' / f'{name}.npz')
    low, high = golden['logit_range']
    labels = tuple(f'class {number}' for number in range(len(golden['bias'])))
    return golden, Head(golden['weights'], golden['bias'], labels, (float(low), float(high)))


def model_of(shared: Path, name: str) -> bytes:
    return (shared / 'models' / f'{name}.tflite').read_bytes()


@pytest.mark.parametrize('name', NAMES)
def test_what_is_appended_is_what_libcoral_appends(shared: Path, name: str) -> None:
    golden, head = reference(shared, name)
    model = append_head(model_of(shared, CORAL), head)
    tree = parse(model)
    weights, bias, logits, reshaped, scores = tree.subgraphs[0].tensors[-5:]
    stored = [bytes(tree.buffers[tensor.buffer].data) for tensor in (weights, bias)]
    assert stored == [golden['quantized_weights'].tobytes(), golden['quantized_bias'].tobytes()]
    found = [
        (tensor.quantization.scale[0], tensor.quantization.zeroPoint[0])
        for tensor in (weights, bias, logits, reshaped, scores)
    ]
    output = (golden['output_scale'], golden['output_zero_point'])
    assert found == [
        (golden['weights_scale'], golden['weights_zero_point']),
        (golden['bias_scale'], 0),
        output,
        output,
        (golden['softmax_scale'], golden['softmax_zero_point']),
    ]


def test_saved_models_give_the_reference_scores_with_the_reference_kernels(
    shared: Path, tmp_path: Path, run: Run
) -> None:
    golden, head = reference(shared, 'trained')
    learner = SoftmaxRegression(feature_dim=head.feature_dim, num_classes=head.num_classes)
    learner.weights, learner.bias = head.weights, head.bias
    learner.logit_range = head.logit_range
    saved = tmp_path / 'retrained.tflite'
    learner.save_as_tflite_model(shared / 'models' / f'{CORAL}.tflite', saved, labels=head.labels)
    model = saved.read_bytes()
    assert model == append_head(model_of(shared, CORAL), head)
    images = np.load(shared / 'reference' / 'photos_224.npz')['images']
    for image, wanted in zip(images, golden['scores_reference_kernels_first4'], strict=False):
        scores = run(model, image[np.newaxis], reference_kernels=True)[0]
        np.testing.assert_array_equal(scores[0], wanted)


@pytest.mark.parametrize('name', NAMES)
def test_the_head_alone_gives_the_scores_of_the_whole_model(
    shared: Path, name: str, run: Run
) -> None:
    golden, head = reference(shared, name)
    photos = np.load(shared / 'reference' / 'photos_224.npz')
    cut = cut_head(append_head(model_of(shared, CORAL), head))
    # The embeddings are those of one runtime; both have the same kernels for the head.
    scores = [run(cut, each.reshape(1, 1, 1, -1))[0][0] for each in photos['embedding_uint8']]
    candidates = (golden['scores_ai_edge_litert'], golden['scores_tflite_runtime'])
    assert any(np.array_equal(scores, wanted) for wanted in candidates)


def test_the_program_for_the_edge_tpu_is_kept(shared: Path, run: Run) -> None:
    _, head = reference(shared, 'trained')
    extractor = model_of(shared, COMPILED)
    model = append_head(extractor, head)
    program = bytes(parse(extractor).subgraphs[0].operators[0].customOptions)
    assert len(program) == 3_485_780
    assert bytes(parse(model).subgraphs[0].operators[0].customOptions) == program
    assert model.index(program) % 16 == extractor.index(program) % 16 == 0
    assert describe(model).compiled_for_edgetpu
    assert read_labels(model) == head.labels
    # The head alone needs no Edge TPU.
    embedding = np.load(shared / 'reference' / 'photos_224.npz')['embedding_uint8'][0]
    twin = append_head(model_of(shared, CORAL), head)
    scores = [run(cut_head(each), embedding.reshape(1, 1, 1, -1))[0] for each in (model, twin)]
    np.testing.assert_array_equal(*scores)


@pytest.mark.parametrize('dtype', ['int8', 'uint8'])
def test_converted_extractors_take_a_head(shared: Path, dtype: str, run: Run) -> None:
    extractor = model_of(shared, f'efficientnet_lite0_embedding_extractor_{dtype}')
    rng = np.random.default_rng(1)
    weights = rng.normal(0, 0.05, (1280, 6)).astype(np.float32)
    head = Head(weights, np.zeros(6, np.float32), tuple('abcdef'), (-8.0, 8.0))
    model = append_head(extractor, head)
    picture = rng.integers(0, 256, (1, 224, 224, 3)) - (128 if dtype == 'int8' else 0)
    embedding = run(extractor, picture.astype(dtype))[0]
    scores = run(model, picture.astype(dtype))[0]
    np.testing.assert_array_equal(scores, run(cut_head(model), embedding)[0])
    quantization = describe(extractor).quantization
    reals = dequantize(embedding, quantization)
    wanted = head.predict_proba(reals)
    found = (scores.astype(int) + (128 if dtype == 'int8' else 0)) / 256
    np.testing.assert_allclose(found, wanted, atol=0.04)
