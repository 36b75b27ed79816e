# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
import hashlib
from pathlib import Path
from typing import Any

from ai_edge_litert import schema_py_generated as schema
from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.model_file.extractor_file import make_extractor
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.metadata.labels import read_labels
from edgetpu_retrain.model_file.metadata.packed_files import append_files, read_files
from edgetpu_retrain.model_file.quantization import dequantize
import numpy as np
import pytest
from support.small_classifiers import add_classes, build_classifier, build_classifier_tree
from support.small_models import (
    add_metadata,
    add_operator,
    add_tensor,
    build_extractor,
    build_extractor_tree,
    pack,
)

Run = Callable[..., list[Any]]
DTYPES = ('uint8', 'int8', 'float32')


def _picture(dtype: str) -> Any:
    pixels = np.random.default_rng(3).integers(0, 256, (1, 8, 8, 3))
    return (pixels - 128).astype(dtype) if dtype == 'int8' else pixels.astype(dtype)


def _head(dimension: int) -> Head:
    weights = np.random.default_rng(1).normal(0, 1, (dimension, 2)).astype(np.float32)
    return Head(weights, np.zeros(2, np.float32), labels=('cup', 'bottle'))


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('convolution', [False, True])
@pytest.mark.parametrize('result', ['SOFTMAX', 'LOGISTIC', ''])
def test_a_classifier_is_cut_in_front_of_its_last_layer(
    run: Run, dtype: str, convolution: bool, result: str
) -> None:
    rank = 4 if convolution else 2
    plain = build_extractor(dtype, rank=rank)
    made = make_extractor(build_classifier(dtype, convolution=convolution, result=result))
    (note,) = made.notes
    layer = 'CONV_2D' if convolution else 'FULLY_CONNECTED'
    assert f'its last {layer} layer' in note
    assert '8 numbers, is the embedding' in note
    picture = _picture(dtype)
    np.testing.assert_array_equal(run(made.model, picture)[0], run(plain, picture)[0])
    (before,) = run(append_head(plain, _head(8)), picture)
    (after,) = run(append_head(made.model, _head(8)), picture)
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize('half', ['FULLY_CONNECTED', 'BATCH_MATMUL', 'ADD'])
def test_weights_of_16_bits_are_constants(run: Run, half: str) -> None:
    tree = build_classifier_tree('float32', result='')
    (graph,) = tree.subgraphs
    classifying = graph.operators.pop()
    (embedding, weights, _), (logits,) = classifying.inputs, classifying.outputs

    def of_16_bits(shape: list[int]) -> int:
        tensor = add_tensor(tree, 'half', 'float32', shape, 1, 0, np.ones(shape, np.float16))
        graph.tensors[tensor].type = schema.TensorType.FLOAT16
        whole = add_tensor(tree, 'whole', 'float32', shape, 1, 0)
        add_operator(tree, schema.BuiltinOperator.DEQUANTIZE, [tensor], [whole])
        return whole

    if half == 'BATCH_MATMUL':
        inputs = [embedding, of_16_bits([8, 3])]
    else:
        inputs = [embedding, of_16_bits([3, 8]) if half == 'FULLY_CONNECTED' else weights, -1]
    name = 'FULLY_CONNECTED' if half == 'ADD' else half
    add_operator(tree, getattr(schema.BuiltinOperator, name), inputs, [logits])
    # A bias that comes first.
    biased = add_tensor(tree, 'biased', 'float32', [1, 3], 1, 0)
    add_operator(tree, schema.BuiltinOperator.ADD, [of_16_bits([3]), logits], [biased])
    graph.outputs = [biased]
    made = make_extractor(pack(tree)).model
    picture = _picture('float32')
    plain = build_extractor('float32', rank=2)
    np.testing.assert_array_equal(run(made, picture)[0], run(plain, picture)[0])


@pytest.mark.parametrize('layer', ['ADD', 'MUL', 'BATCH_MATMUL'])
def test_layers_that_other_converters_write_are_cut_too(run: Run, layer: str) -> None:
    tree = build_classifier_tree('float32', result='')
    (graph,) = tree.subgraphs
    (logits,) = graph.outputs
    if layer == 'BATCH_MATMUL':
        (operator,) = graph.operators[-1:]
        graph.operators.pop()
        weights = add_tensor(tree, 'w', 'float32', [8, 3], 1, 0, np.ones((8, 3), np.float32))
        add_operator(
            tree, schema.BuiltinOperator.BATCH_MATMUL, [operator.inputs[0], weights], [logits]
        )
    else:
        constant = add_tensor(tree, 'c', 'float32', [3], 1, 0, np.ones(3, np.float32))
        result = add_tensor(tree, 'result', 'float32', [1, 3], 1, 0)
        code = getattr(schema.BuiltinOperator, layer)
        add_operator(tree, code, [logits, constant], [result])
        graph.outputs = [result]
    made = make_extractor(pack(tree)).model
    picture = _picture('float32')
    plain = build_extractor('float32', rank=2)
    np.testing.assert_array_equal(run(made, picture)[0], run(plain, picture)[0])


def test_only_what_the_embedding_needs_stays_in_a_cut_model() -> None:
    file = build_classifier('uint8', classes=1000, dimension=64, image_size=4)
    made = make_extractor(file).model
    assert len(made) < len(file) - 64_000
    tree = schema.ModelT.InitFromPackedBuf(made, 0)
    (graph,) = tree.subgraphs
    assert len(graph.operators) == len(tree.operatorCodes) == 2
    (signature,) = tree.signatureDefs
    (output,) = signature.outputs
    assert (output.name, output.tensorIndex) == (b'embedding', graph.outputs[0])


@pytest.mark.parametrize('result', ['SOFTMAX', ''])
def test_a_cut_model_is_not_cut_again_and_keeps_its_identity(result: str) -> None:
    # Here the embedding, too, is the output of a fully-connected layer without activation.
    file = pack(add_classes(build_classifier_tree('float32', result=''), 'float32', 4, result))
    made = make_extractor(file)
    assert describe(made.model).dimension == 3
    again = make_extractor(made.model)
    assert again.model == made.model
    assert not again.notes
    assert describe(made.model).identity not in (
        hashlib.sha256(file).hexdigest(),
        hashlib.sha256(made.model).hexdigest(),
    )


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('compiled', [False, True])
def test_an_extractor_is_left_as_it_is(dtype: str, compiled: bool) -> None:
    file = build_extractor(dtype, compiled=compiled)
    made = make_extractor(file)
    assert made.model is file
    assert not made.notes
    assert describe(file).identity == hashlib.sha256(file).hexdigest()


def test_a_layer_with_an_activation_gives_an_embedding() -> None:
    tree = build_classifier_tree('float32', result='')
    operator = tree.subgraphs[0].operators[-1]
    operator.builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.RELU
    file = pack(tree)
    assert make_extractor(file).model is file


def test_a_final_layer_that_samples_were_made_with_stays_the_embedding() -> None:
    used = []

    def has_samples(identity: str) -> bool:
        used.append(identity)
        return True

    file = build_classifier('float32', result='')
    assert make_extractor(file, has_samples=has_samples).model is file
    assert used == [hashlib.sha256(file).hexdigest()]
    # No model was ever trained on the output of a softmax.
    with_softmax = build_classifier('float32')
    assert make_extractor(with_softmax, has_samples=has_samples).model != with_softmax


def test_a_classifier_compiled_for_the_edge_tpu_is_refused_with_the_reason() -> None:
    tree = build_extractor_tree('uint8', compiled=True)
    (graph,) = tree.subgraphs
    graph.tensors[graph.outputs[0]].quantization.scale = np.array([1 / 256], np.float32)
    with pytest.raises(ModelFileError, match='its layers are inside the compiled program'):
        make_extractor(pack(tree))


def test_a_retrained_model_is_cut_where_its_head_begins(run: Run) -> None:
    extractor = build_extractor('uint8')
    made = make_extractor(append_head(extractor, _head(8)))
    picture = _picture('uint8')
    np.testing.assert_array_equal(run(made.model, picture)[0], run(extractor, picture)[0])


def test_a_model_that_only_ends_like_a_classifier_is_refused() -> None:
    tree = build_classifier_tree('float32')
    (graph,) = tree.subgraphs
    # As in SqueezeNet, no fully-connected layer is in front of the softmax.
    graph.operators[-1].inputs = [graph.operators[0].outputs[0]]
    del graph.operators[-2]
    with pytest.raises(ModelFileError, match='ends in SOFTMAX behind CONV_2D'):
        make_extractor(pack(tree))


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('pooling', ['AVERAGE_POOL_2D', 'MEAN'])
@pytest.mark.parametrize('activation', ['NONE', 'RELU'])
def test_the_mean_of_what_a_convolution_scores_is_an_embedding(
    run: Run, dtype: str, pooling: str, activation: str
) -> None:
    options: dict[str, Any] = {'pooling': pooling, 'spatial': 2, 'activation': activation}
    file = build_classifier(dtype, convolution=True, **options)
    made = make_extractor(file)
    (note,) = made.notes
    assert 'the mean over all positions of the input of its last CONV_2D layer' in note
    picture = _picture(dtype)
    (features,) = run(build_extractor(dtype, spatial=2), picture)
    (embedding,) = run(made.model, picture)
    wanted = features.astype(np.float64).mean((1, 2)).ravel()
    # An older runtime rounds up.
    rounding = 0.75 if dtype != 'float32' else 1e-4
    np.testing.assert_allclose(embedding.ravel(), wanted, atol=rounding)
    assert embedding.std() > 10 * rounding
    assert run(append_head(made.model, _head(8)), picture)[0].shape == (1, 2)
    assert make_extractor(made.model).model == made.model


@pytest.mark.parametrize('dtype', DTYPES)
def test_what_a_layer_flattens_itself_is_flattened(run: Run, dtype: str) -> None:
    tree = build_extractor_tree(dtype, dimension=8, spatial=2)
    (graph,) = tree.subgraphs
    (features,) = graph.outputs
    # As converters leave it: without a RESHAPE in front of the layer.
    shape = graph.tensors[features].shape
    graph.tensors[features].shape = [1, 32]
    add_classes(tree, dtype, 3, 'SOFTMAX')
    graph.tensors[features].shape = shape
    made = make_extractor(pack(tree)).model
    picture = _picture(dtype)
    (embedding,) = run(made, picture)
    (wanted,) = run(build_extractor(dtype, dimension=8, spatial=2), picture)
    np.testing.assert_array_equal(embedding, wanted.reshape(1, 32))
    assert run(append_head(made, _head(32)), picture)[0].shape == (1, 2)


def test_the_mean_is_the_embedding_that_the_packaged_extractor_gives(run: Run) -> None:
    packaged = default_extractor_path().read_bytes()
    tree = schema.ModelT.InitFromPackedBuf(packaged, 0)
    (graph,) = tree.subgraphs
    # Its layers are those of a real network: features, their mean, and a change of the type.
    (features, *_) = graph.operators[-2].inputs
    graph.outputs = [features]
    entries = [schema.TensorMapT('image', graph.inputs[0])], [schema.TensorMapT('o', features)]
    tree.signatureDefs = [schema.SignatureDefT(*entries, signatureKey='serving_default')]
    add_classes(tree, 'int8', 5, 'SOFTMAX', True, pooling='MEAN', activation='RELU')
    made = make_extractor(pack(tree)).model
    picture = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3)).astype(np.uint8)
    found, wanted = (
        dequantize(run(model, picture)[0].reshape(1, -1), describe(model).quantization)
        for model in (made, packaged)
    )
    # One step of their quantizations.
    np.testing.assert_allclose(found, wanted, atol=0.024)
    assert wanted.std() > 0.2


def test_without_an_activation_the_old_classes_are_linear_in_the_mean(run: Run) -> None:
    options: dict[str, Any] = {'pooling': 'MEAN', 'spatial': 2, 'result': 'LOG_SOFTMAX'}
    tree = build_classifier_tree('float32', convolution=True, **options)
    (graph,) = tree.subgraphs
    kernel = next(each for each in graph.tensors if each.name == 'kernel')
    weights = np.frombuffer(tree.buffers[kernel.buffer].data.tobytes(), np.float32).reshape(3, 8)
    file = pack(tree)
    picture = _picture('float32')
    (scores,) = run(file, picture)
    (embedding,) = run(make_extractor(file).model, picture)
    logits = weights @ embedding.ravel()
    wanted = logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
    np.testing.assert_allclose(scores.ravel(), wanted, rtol=1e-4)


def test_the_maximum_of_scores_is_named_as_what_cannot_be_cut() -> None:
    options: dict[str, Any] = {'pooling': 'MAX_POOL_2D', 'spatial': 2}
    file = build_classifier('float32', convolution=True, **options)
    with pytest.raises(ModelFileError, match='ends in SOFTMAX behind MAX_POOL_2D'):
        make_extractor(file)


def test_a_convolution_of_several_pixels_in_front_of_pooling_is_named() -> None:
    tree = build_extractor_tree('float32', dimension=3, spatial=2)
    (graph,) = tree.subgraphs
    axes = add_tensor(tree, 'axes', 'int32', [2], 1, 0, np.array([1, 2], np.int32))
    (features,) = graph.outputs
    mean, scores = (add_tensor(tree, name, 'float32', [1, 3], 1, 0) for name in ('mean', 'scores'))
    add_operator(
        tree,
        schema.BuiltinOperator.MEAN,
        [features, axes],
        [mean],
        builtinOptionsType=schema.BuiltinOptions.ReducerOptions,
        builtinOptions=schema.ReducerOptionsT(),
    )
    add_operator(
        tree,
        schema.BuiltinOperator.SOFTMAX,
        [mean],
        [scores],
        builtinOptionsType=schema.BuiltinOptions.SoftmaxOptions,
        builtinOptions=schema.SoftmaxOptionsT(beta=1.0),
    )
    graph.outputs = [scores]
    with pytest.raises(ModelFileError, match='SOFTMAX behind CONV_2D and a pooling layer, not'):
        make_extractor(pack(tree))


def test_what_describes_the_old_classes_is_dropped_and_a_licence_kept() -> None:
    files = {'labels.txt': b'a\nb\nc\n', 'LICENSE': b'Apache'}
    file = append_files(build_classifier('uint8'), files)
    assert read_labels(file) == ('a', 'b', 'c')
    made = make_extractor(file).model
    assert read_files(made) == {'LICENSE': b'Apache'}
    assert read_labels(made) == ()


def test_what_would_prevent_a_head_is_reported_when_the_extractor_is_read() -> None:
    tree = build_extractor_tree('uint8')
    add_metadata(tree, 'TFLITE_METADATA', b'no metadata')
    with pytest.raises(ModelFileError, match=r'metadata \(TFLITE_METADATA\) is damaged'):
        make_extractor(pack(tree))


def test_a_teachable_machine_export_is_cut(run: Run, shared: Path) -> None:
    file = (shared / 'cases' / 'classifier_teachable_machine.tflite').read_bytes()
    made = make_extractor(file)
    assert describe(made.model).dimension == 100
    picture = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3)).astype(np.uint8)
    (embedding,) = run(made.model, picture)
    assert embedding.shape == (1, 100)
    assert embedding.any()
