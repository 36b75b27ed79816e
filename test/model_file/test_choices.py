# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What users choose for model files that do not state it: range, size and output."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
import hashlib
from pathlib import Path
from typing import Any

from ai_edge_litert import schema_py_generated as schema
from edgetpu_retrain.errors import ModelFileError, RequestError
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.choices import find_output, ModelChoices, read_input_size
from edgetpu_retrain.model_file.classifier_file import make_classifier
from edgetpu_retrain.model_file.description import describe, describe_embedding
from edgetpu_retrain.model_file.extractor_file import make_extractor
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.normalization import MINUS_1_TO_1, read_input_range
import numpy as np
import pytest
from support.small_classifiers import build_classifier_tree
from support.small_models import (
    add_metadata,
    add_operator,
    add_tensor,
    build_extractor,
    build_extractor_tree,
    input_metadata,
    pack,
)

Run = Callable[..., list[Any]]
HEAD = Head(np.ones((8, 2), np.float32), np.zeros(2, np.float32), labels=('cup', 'bottle'))


def chosen(input_range: str) -> ModelChoices:
    return ModelChoices(read_input_range(input_range))


def sha256(model: bytes) -> str:
    return hashlib.sha256(model).hexdigest()


def test_a_float_model_that_states_no_range_is_refused_with_the_way_out() -> None:
    silent = build_extractor('float32', normalization=None)
    with pytest.raises(ModelFileError, match=r'input_range \(--input-range\)'):
        make_extractor(silent)
    with pytest.raises(ModelFileError, match=r'0\.\.255, 0\.\.1, -1\.\.1 or MEAN/STD'):
        make_classifier(silent, labels='abcdefgh')


@pytest.mark.parametrize('input_range', ['0..255', '0..1', '-1..1', '1,2,3/4,5,6'])
def test_the_chosen_range_is_in_the_extractor_and_in_the_retrained_model(
    input_range: str,
) -> None:
    silent = build_extractor('float32', normalization=None)
    made = make_extractor(silent, chosen(input_range))
    for description in (
        describe(made.model),
        describe_embedding(append_head(made.model, HEAD)),
    ):
        assert str(description.normalization) == input_range
    assert not made.notes
    again = make_extractor(made.model)
    assert again.model is made.model


def test_the_stated_range_is_in_the_retrained_model_without_labels_too() -> None:
    stated = build_extractor('float32', normalization=(0.0, 255.0))
    head = Head(HEAD.weights, HEAD.bias)
    assert str(describe_embedding(append_head(stated, head)).normalization) == '0..1'


def test_another_range_is_another_identity_and_that_of_earlier_releases_stays() -> None:
    silent = build_extractor('float32', normalization=None)
    identities = [
        describe(make_extractor(silent, chosen(text)).model).identity
        for text in ('-1..1', '0..1', '0..255')
    ]
    assert identities[0] == sha256(silent)
    assert len(set(identities)) == 3
    as_before = build_extractor('float32', normalization=(127.5, 127.5))
    assert describe(make_extractor(as_before).model).identity == sha256(as_before)
    other = build_extractor('float32', normalization=(0.0, 255.0))
    assert describe(make_extractor(other).model).identity == describe(other).identity
    assert describe(other).identity != sha256(other)


@pytest.mark.parametrize('normalization', [None, (0.0, 255.0)])
def test_samples_of_an_earlier_release_keep_their_range(
    normalization: tuple[float, float] | None,
) -> None:
    file = build_extractor('float32', normalization=normalization)
    made = make_extractor(file, has_samples=lambda identity: identity == sha256(file))
    description = describe(made.model)
    assert description.normalization == MINUS_1_TO_1
    assert description.identity == sha256(file)
    (note,) = made.notes
    assert 'stays -1..1' in note
    # A choice of the user wins.
    free = make_extractor(file, chosen('0..1'), has_samples=lambda _: True)
    assert str(describe(free.model).normalization) == '0..1'


def test_a_choice_wins_over_the_metadata_and_a_note_says_so() -> None:
    stated = build_extractor('float32', normalization=(0.0, 255.0))
    made = make_extractor(stated, chosen('0..255'))
    assert str(describe(made.model).normalization) == '0..255'
    assert made.notes == ('input_range 0..255 is used, although the file states 0..1',)
    assert make_extractor(stated, chosen('0..1')).notes == ()


def test_exchanged_numbers_are_exchanged_and_a_note_says_so() -> None:
    file = build_extractor('float32', normalization=(255.0, 0.0))
    made = make_extractor(file)
    (note,) = made.notes
    assert 'the file states 0..1 (its mean and standard deviation are exchanged)' in note
    assert 'input_range can choose another' in note
    # What is made of the file states what is used, and means the same.
    assert make_extractor(made.model).notes == ()
    assert describe(made.model).identity == describe(file).identity
    assert make_classifier(file, labels='abcdefgh').notes[0] == note
    chosen_too = make_extractor(file, chosen('0..255')).notes
    assert chosen_too[0].startswith('input_range 0..255 is used, although the file states 0..1')


@pytest.mark.parametrize('numbers', [(0.0, 0.0), ((1.0, 2.0), 1.0), (float('nan'), 1.0)])
def test_numbers_that_are_no_range_are_named_with_the_way_out(numbers: Any) -> None:
    file = build_extractor('float32', normalization=numbers)
    with pytest.raises(ModelFileError, match=r'(standard deviation|mean) .*input_range \(--input'):
        make_extractor(file)
    assert str(describe(make_extractor(file, chosen('0..1')).model).normalization) == '0..1'
    assert make_extractor(build_extractor('uint8')).notes == ()


@pytest.mark.parametrize('dtype', ['uint8', 'int8'])
def test_a_quantized_model_keeps_its_scale_and_a_note_says_so(dtype: str) -> None:
    file = build_extractor(dtype)
    made = make_extractor(file, chosen('0..1'))
    assert made.model is file
    (note,) = made.notes
    assert f'the input is of type {dtype}, so its scale and zero point apply' in note


def free_extractor(size: tuple[int, int] | None = None, dtype: str = 'float32') -> Any:
    """Return an extractor for pictures of any size: a convolution, and the mean of all pixels."""
    tree = build_extractor_tree(dtype, image_size=3)
    (graph,) = tree.subgraphs
    (features,) = graph.outputs
    pixels = graph.tensors[graph.inputs[0]]
    pixels.shape, pixels.shapeSignature = [1, 1, 1, 3], [-1, -1, -1, 3]
    graph.tensors[features].shapeSignature = [-1, -1, -1, 8]
    (convolution,) = graph.operators
    convolution.builtinOptions.padding = schema.Padding.SAME
    convolution.builtinOptions.strideH = convolution.builtinOptions.strideW = 1
    axes = add_tensor(tree, 'axes', 'int32', [2], 1, 0, np.array([1, 2], np.int32))
    mean = add_tensor(tree, 'mean', dtype, [1, 8], 1, 0)
    graph.tensors[mean].shapeSignature = [-1, 8]
    add_operator(
        tree,
        schema.BuiltinOperator.MEAN,
        [features, axes],
        [mean],
        builtinOptionsType=schema.BuiltinOptions.ReducerOptions,
        builtinOptions=schema.ReducerOptionsT(),
    )
    graph.outputs = [mean]
    tree.signatureDefs[0].outputs[0].tensorIndex = mean
    add_metadata(tree, 'TFLITE_METADATA', input_metadata(0.0, 255.0, size))
    return tree


def test_a_free_size_is_asked_for_and_never_1() -> None:
    for shape, signature in (
        ([1, 1, 1, 3], [-1, -1, -1, 3]),
        ([1, 1, 1, 3], None),
        ([1, -1, -1, 3], None),
        ([1, 8, 1, 3], [-1, 8, -1, 3]),
    ):
        tree = free_extractor()
        pixels = tree.subgraphs[0].tensors[0]
        pixels.shape, pixels.shapeSignature = shape, signature
        for make in (make_extractor, lambda file: make_classifier(file, labels='abcdefgh')):
            with pytest.raises(ModelFileError, match=r'input_size \(--input-size\)'):
                make(pack(tree))


@pytest.mark.parametrize('stated', [False, True])
def test_a_free_size_is_chosen_or_stated(run: Run, stated: bool) -> None:
    file = pack(free_extractor((20, 12) if stated else None))
    choices = ModelChoices() if stated else ModelChoices(input_size=(12, 20))
    made = make_extractor(file, choices).model
    assert describe(made).input_shape == (1, 12, 20, 3)
    assert (
        describe(made).identity
        != describe(make_extractor(file, ModelChoices(input_size=(16, 16))).model).identity
    )
    picture = np.random.default_rng(0).random((1, 12, 20, 3), np.float32)
    (embedding,) = run(made, picture)
    assert embedding.shape == (1, 8)
    (scores,) = run(append_head(made, HEAD), picture)
    assert scores.shape == (1, 2)
    # The size counts: other pixels, another mean.
    (other,) = run(made, np.zeros_like(picture))
    assert not np.allclose(embedding, other)


def test_an_output_that_changes_with_the_input_is_named_instead_of_asking_for_a_size() -> None:
    tree = free_extractor()
    (graph,) = tree.subgraphs
    graph.outputs = [graph.operators[0].outputs[0]]
    file = pack(tree)
    for make in (make_extractor, lambda file: make_classifier(file, labels='abcdefgh')):
        with pytest.raises(ModelFileError, match=r"'embedding' is no vector: its size, \[-1, -1"):
            make(file)


def test_a_size_that_is_chosen_wins_over_the_stated_one_and_a_note_says_so() -> None:
    file = pack(free_extractor((20, 12)))
    made = make_extractor(file, ModelChoices(input_size=(16, 24)))
    assert describe(made.model).input_shape == (1, 16, 24, 3)
    assert made.notes == ('input_size 24x16 is used, although the file states 20x12',)
    assert make_extractor(file, ModelChoices(input_size=(12, 20))).notes == ()


def test_a_fixed_size_is_not_changed_and_a_note_says_so() -> None:
    file = build_extractor('uint8')
    made = make_extractor(file, ModelChoices(input_size=(12, 20)))
    assert made.model is file
    assert made.notes == ('input_size is not used: the input has the size 8x8',)


def test_sizes_are_read_as_width_and_height() -> None:
    assert read_input_size('') is None
    assert read_input_size('224') == (224, 224)
    assert read_input_size('320x240') == (240, 320)
    for text in ('big', '1', '0x5', '5000', '-3x3'):
        with pytest.raises(RequestError, match=text):
            read_input_size(text)


def two_outputs() -> tuple[Any, bytes]:
    """Return a classifier that also outputs its embedding."""
    tree = build_classifier_tree('float32')
    (graph,) = tree.subgraphs
    embedding = graph.operators[1].outputs[0]
    graph.outputs = [*graph.outputs, embedding]
    entry = schema.TensorMapT('features', embedding)
    tree.signatureDefs[0].outputs.append(entry)
    return tree, pack(tree)


def test_several_outputs_are_named_and_one_can_be_chosen(run: Run) -> None:
    _, file = two_outputs()
    with pytest.raises(ModelFileError) as refused:
        make_extractor(file)
    for words in ('2 outputs', 'model_output (--model-output)', "0 'probabilities'", "1 'flat'"):
        assert words in str(refused.value)
    plain = build_extractor('float32', rank=2)
    picture = np.random.default_rng(0).random((1, 8, 8, 3), np.float32)
    wanted = run(plain, picture)[0]
    for name in ('1', 'flat', 'features', 'probabilities'):
        # The probabilities are those of a classifier, which is cut.
        made = make_extractor(file, ModelChoices(output=name))
        np.testing.assert_array_equal(run(made.model, picture)[0], wanted)
    classifier = make_classifier(file, ModelChoices(output='0'), labels='abc')
    assert run(classifier.model, picture)[0].shape == (1, 3)
    with pytest.raises(ModelFileError, match="no output 'softmax'"):
        make_extractor(file, ModelChoices(output='softmax'))


def test_a_name_of_several_outputs_is_not_taken_for_any_of_them() -> None:
    tree, _ = two_outputs()
    graph = tree.subgraphs[0]
    for index in graph.outputs:
        graph.tensors[index].name = b'result'
    chosen = ModelChoices(output='result')
    for make in (make_extractor, partial(make_classifier, labels='abc')):
        with pytest.raises(ModelFileError) as refused:
            make(pack(tree), chosen)
        assert str(refused.value) == (
            "this model has 2 outputs 'result': choose one by its number with model_output "
            "(--model-output); they are: 0 'result' (float32 [1, 3]), 1 'result' (float32 [1, 8])"
        )
    assert describe(make_extractor(pack(tree), ModelChoices(output='1')).model).dimension == 8


def test_a_number_is_that_of_an_output_whatever_the_names_are() -> None:
    tree, _ = two_outputs()
    graph = tree.subgraphs[0]
    for index, name in zip(graph.outputs, (b'1', b'5'), strict=True):
        graph.tensors[index].name = name
    for number, output in (('0', 0), ('1', 1), ('5', 1)):
        assert find_output(tree, number) == output


def test_an_output_without_a_name_is_not_chosen_by_default() -> None:
    tree, _ = two_outputs()
    graph = tree.subgraphs[0]
    graph.tensors[graph.outputs[0]].name = None
    with pytest.raises(ModelFileError, match=r"2 outputs: name one .* there are: 0 ''"):
        make_extractor(pack(tree))


def test_an_output_that_is_named_is_not_cut() -> None:
    tree = build_classifier_tree('float32', result='')
    file = pack(tree)
    assert describe(make_extractor(file).model).dimension == 8
    assert describe(make_extractor(file, ModelChoices(output='logits')).model).dimension == 3


def test_a_model_without_operators_is_refused() -> None:
    tree = build_extractor_tree('uint8')
    tree.subgraphs[0].operators = []
    tree.operatorCodes = []
    for make in (make_extractor, lambda file: make_classifier(file, labels='abc')):
        with pytest.raises(ModelFileError, match='no operators'):
            make(pack(tree))


def test_a_model_that_gives_the_class_itself_is_named() -> None:
    tree = build_classifier_tree('float32')
    (graph,) = tree.subgraphs
    axis = add_tensor(tree, 'axis', 'int32', [], 1, 0, np.array(1, np.int32))
    best = add_tensor(tree, 'best', 'int32', [1], 1, 0)
    add_operator(tree, schema.BuiltinOperator.ARG_MAX, [*graph.outputs, axis], [best])
    graph.outputs = [best]
    with pytest.raises(ModelFileError, match='ends in ARG_MAX, so its output is no score'):
        make_classifier(pack(tree), labels='abc')


def test_what_is_wrong_with_the_input_comes_first() -> None:
    tree = build_classifier_tree('float32')
    (graph,) = tree.subgraphs
    for tensor in (graph.inputs[0], graph.outputs[0]):
        shape = graph.tensors[tensor].shape
        graph.tensors[tensor].shape = [8, *shape[1:]]
    with pytest.raises(ModelFileError, match='a batch of 8 pictures'):
        make_classifier(pack(tree))


@pytest.mark.parametrize(
    ('result', 'logits'), [('SOFTMAX', False), ('LOGISTIC', False), ('', True)]
)
@pytest.mark.parametrize('dtype', ['uint8', 'int8', 'float32'])
def test_logits_are_detected_and_a_note_says_so(dtype: str, result: str, logits: bool) -> None:
    tree = build_classifier_tree(dtype, result=result)
    made = make_classifier(pack(tree), labels='abc')
    assert made.gives_logits == logits
    assert any('softmax is applied' in note for note in made.notes) == logits


def test_the_field_inputs_are_read_as_their_metadata_says(shared: Path) -> None:
    cases = shared / 'cases'
    made = make_extractor((cases / 'metadata_mean0_std255.tflite').read_bytes())
    assert str(describe(made.model).normalization) == '0..1'
    assert describe(made.model).dimension == 256
    with pytest.raises(ModelFileError, match=r'input_size \(--input-size\)'):
        make_extractor((cases / 'dynamic_1x1.tflite').read_bytes())
