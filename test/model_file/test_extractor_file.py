# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
import hashlib
from pathlib import Path
from typing import Any

from ai_edge_litert import schema_py_generated as schema
from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.model_file.extractor_file import make_extractor
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.metadata.labels import read_labels
from edgetpu_retrain.model_file.metadata.packed_files import append_files, read_files
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
