# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
import copy
import hashlib
from typing import Any

from ai_edge_litert import schema_py_generated as schema
from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.description import describe, describe_embedding
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.quantization import QuantizationParameters
import numpy as np
import pytest
from support.small_models import build_extractor, build_extractor_tree, EMBEDDING_SCALE, pack

ZERO_POINTS = {'uint8': 0, 'int8': -128}


@pytest.mark.parametrize('compiled', [False, True])
@pytest.mark.parametrize('rank', [2, 4])
@pytest.mark.parametrize('dtype', ['uint8', 'int8', 'float32'])
def test_extractors_are_described(dtype: str, rank: int, compiled: bool) -> None:
    model = build_extractor(dtype, dimension=12, image_size=16, rank=rank, compiled=compiled)
    description = describe(model)
    assert description.input_shape == (1, 16, 16, 3)
    assert description.input_dtype == description.output_dtype == dtype
    assert description.dimension == 12
    assert description.compiled_for_edgetpu == compiled
    assert description.identity == hashlib.sha256(model).hexdigest()
    if dtype == 'float32':
        assert description.quantization is None
    else:
        scale = float(np.float32(EMBEDDING_SCALE))
        assert description.quantization == QuantizationParameters(scale, ZERO_POINTS[dtype])


def test_a_retrained_model_is_described_by_its_scores_and_by_its_embedding() -> None:
    extractor = build_extractor('int8', dimension=12)
    model = append_head(extractor, Head(np.ones((12, 3), np.float32), np.zeros(3, np.float32)))
    assert describe(model).dimension == 3
    assert describe(model).quantization == QuantizationParameters(1 / 256, -128)
    embedding = describe_embedding(model)
    assert embedding.dimension == 12
    assert embedding.quantization == describe(extractor).quantization
    assert embedding.identity == describe(model).identity != describe(extractor).identity


def test_an_extractor_has_no_embedding_behind_its_output() -> None:
    with pytest.raises(ModelFileError, match='not a retrained model'):
        describe_embedding(build_extractor('uint8'))


def refused(tree: Any, message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        describe(pack(tree))


def test_several_spatial_positions_are_rejected_with_the_shape() -> None:
    tree = build_extractor_tree('uint8', spatial=2)
    refused(tree, r"'embedding' has shape \[1, 2, 2, 8\], more than one spatial position")


@pytest.mark.parametrize('shape', [[], [8], [0, 8], [1, 0]])
def test_outputs_other_than_vectors_are_rejected(shape: list[int]) -> None:
    tree = build_extractor_tree('uint8')
    tree.subgraphs[0].tensors[tree.subgraphs[0].outputs[0]].shape = shape
    refused(tree, 'one vector, .* is needed')


def test_an_output_that_nothing_computes_from_the_input_is_rejected() -> None:
    tree = build_extractor_tree('uint8')
    (graph,) = tree.subgraphs
    graph.tensors.append(copy.copy(graph.tensors[graph.outputs[0]]))
    graph.outputs = [len(graph.tensors) - 1]
    refused(tree, 'does not depend on its input')


@pytest.mark.parametrize('count', [0, 2])
def test_other_numbers_of_outputs_and_inputs_are_rejected(count: int) -> None:
    tree = build_extractor_tree('uint8')
    tree.subgraphs[0].outputs = tree.subgraphs[0].outputs * count
    refused(tree, f'{count} outputs')
    tree = build_extractor_tree('uint8')
    tree.subgraphs[0].inputs = [0] * count
    refused(tree, f'{count} inputs')


@pytest.mark.parametrize('shape', [[1, 8, 8, 1], [2, 8, 8, 3], [1, 192], [1, 8, 8, 3, 1]])
def test_inputs_other_than_pictures_are_rejected(shape: list[int]) -> None:
    tree = build_extractor_tree('uint8')
    tree.subgraphs[0].tensors[0].shape = shape
    refused(tree, r'the input .* one RGB picture, \[1, height, width, 3\]')


@pytest.mark.parametrize(
    ('shape', 'kind'),
    [
        ([8, 8, 8, 3], 'a batch of 8 pictures'),
        ([1, 3, 8, 8], 'channels first as in PyTorch'),
        ([1, 8, 8, 1], 'a grey picture'),
        ([1, 8, 8, 4], 'a picture of four channels'),
    ],
)
def test_other_kinds_of_pictures_are_named(shape: list[int], kind: str) -> None:
    tree = build_extractor_tree('uint8')
    tree.subgraphs[0].tensors[0].shape = shape
    refused(tree, f'the input .*, {kind}.*; one RGB picture')


@pytest.mark.parametrize('end', ['input', 'output'])
def test_unsupported_element_types_are_rejected(end: str) -> None:
    tree = build_extractor_tree('float32')
    graph = tree.subgraphs[0]
    index = graph.inputs[0] if end == 'input' else graph.outputs[0]
    graph.tensors[index].type = schema.TensorType.FLOAT16
    refused(tree, f'the {end} .* is of type float16; uint8, int8, float32 are supported')


def quantized(scale: list[float] | None, zero_point: list[int] | None) -> Any:
    tree = build_extractor_tree('uint8')
    embedding = tree.subgraphs[0].tensors[tree.subgraphs[0].outputs[0]]
    embedding.quantization = schema.QuantizationParametersT(scale=scale, zeroPoint=zero_point)
    return tree


def test_integers_without_quantization_are_rejected() -> None:
    refused(quantized(None, None), 'has no quantization')
    refused(quantized([0.1] * 8, [0] * 8), '8 scales and 8 zero points')
    for scale in (0.0, -1.0, float('nan'), float('inf'), 1e-30):
        refused(quantized([scale], [0]), 'not valid')
    refused(quantized([0.1], [256]), 'zero point 256')
    refused(quantized([0.1], [-1]), 'zero point -1')


def test_a_zero_point_that_is_not_given_is_0() -> None:
    description = describe(pack(quantized([0.5], None)))
    assert description.quantization == QuantizationParameters(0.5, 0)
