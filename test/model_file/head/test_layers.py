# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from typing import Any

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.model_file.flatbuffer import parse
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.head.cut_head import cut_head
from edgetpu_retrain.model_file.head.expose_embedding import expose_embedding
from edgetpu_retrain.model_file.head.layers import find_head
from edgetpu_retrain.model_file.schema import operator_name
import numpy as np
import pytest
from support.small_models import build_extractor, EDGETPU_PAYLOAD, pack

CASES = [(dtype, rank) for dtype in ('uint8', 'int8', 'float32') for rank in (2, 4)]
Run = Callable[..., list[Any]]


def retrained(dtype: str, rank: int, compiled: bool = False) -> tuple[bytes, bytes]:
    """Return a small extractor and a classifier made from it."""
    weights = np.random.default_rng(2).normal(0, 0.5, (16, 3)).astype(np.float32)
    head = Head(weights, np.array([0, 1, -1], np.float32), ('a', 'b', 'c'), (-9.0, 9.0))
    extractor = build_extractor(dtype, dimension=16, rank=rank, compiled=compiled)
    return extractor, append_head(extractor, head)


def picture(dtype: str) -> Any:
    pixels = np.random.default_rng(4).integers(0, 100, (1, 8, 8, 3))
    return pixels.astype(dtype) / 100 if dtype == 'float32' else pixels.astype(dtype)


@pytest.mark.parametrize(('dtype', 'rank'), CASES)
def test_one_pass_gives_scores_and_embedding(dtype: str, rank: int, run: Run) -> None:
    extractor, model = retrained(dtype, rank)
    image = picture(dtype).astype(dtype)
    scores, embedding = run(expose_embedding(model), image)
    np.testing.assert_array_equal(scores, run(model, image)[0])
    np.testing.assert_array_equal(embedding, run(extractor, image)[0])
    assert len(np.unique(embedding)) > 4


@pytest.mark.parametrize(('dtype', 'rank'), CASES)
def test_the_head_alone_scores_stored_embeddings(dtype: str, rank: int, run: Run) -> None:
    extractor, model = retrained(dtype, rank)
    image = picture(dtype).astype(dtype)
    embedding = run(extractor, image)[0]
    head = cut_head(model)
    np.testing.assert_array_equal(run(head, embedding)[0], run(model, image)[0])
    assert len(head) < 4096


@pytest.mark.parametrize('rank', [2, 4])
def test_the_head_of_a_compiled_model_runs_on_the_cpu(rank: int, run: Run) -> None:
    _, compiled = retrained('uint8', rank, compiled=True)
    _, plain = retrained('uint8', rank)
    head = cut_head(compiled)
    assert EDGETPU_PAYLOAD not in head
    codes = [operator_name(code) for code in parse(head).operatorCodes]
    assert codes == ['FULLY_CONNECTED', *['RESHAPE'] * (rank == 4), 'SOFTMAX']
    shape = (1, 16) if rank == 2 else (1, 1, 1, 16)
    embedding = np.arange(16, dtype=np.uint8).reshape(shape)
    np.testing.assert_array_equal(run(head, embedding)[0], run(cut_head(plain), embedding)[0])


def test_an_exposed_model_keeps_the_program_for_the_edge_tpu() -> None:
    _, model = retrained('uint8', 4, compiled=True)
    exposed = expose_embedding(model)
    assert exposed.index(EDGETPU_PAYLOAD) % 16 == 0
    (operator, *_) = parse(exposed).subgraphs[0].operators
    assert bytes(operator.customOptions) == EDGETPU_PAYLOAD


def test_a_head_without_a_bias_can_be_cut(run: Run) -> None:
    _, model = retrained('float32', 2)
    tree = parse(model)
    layer = tree.subgraphs[0].operators[-2]
    weights = tree.subgraphs[0].tensors[layer.inputs[1]]
    layer.inputs = [*layer.inputs[:2], -1]
    embedding = np.random.default_rng(6).normal(size=(1, 16)).astype(np.float32)
    scores = run(cut_head(pack(tree)), embedding)[0]
    values = np.frombuffer(bytes(tree.buffers[weights.buffer].data), np.float32).reshape(3, 16)
    wanted = Head(values.T, np.zeros(3, np.float32)).predict_proba(embedding)
    np.testing.assert_allclose(scores, wanted, atol=1e-5)


def test_signatures_of_an_exposed_model_name_both_outputs() -> None:
    extractor, model = retrained('uint8', 4)
    exposed = parse(expose_embedding(model))
    outputs = exposed.signatureDefs[0].outputs
    assert [output.name for output in outputs] == [b'scores', b'embedding']
    assert [output.tensorIndex for output in outputs] == list(exposed.subgraphs[0].outputs)
    assert outputs[1].tensorIndex == parse(extractor).subgraphs[0].outputs[0]


def test_exposing_and_cutting_can_be_repeated() -> None:
    _, model = retrained('int8', 4)
    exposed = expose_embedding(model)
    assert expose_embedding(exposed) == exposed
    assert cut_head(exposed) == cut_head(model)
    assert describe_outputs(exposed) == 2


def describe_outputs(model: bytes) -> int:
    return len(parse(model).subgraphs[0].outputs)


@pytest.mark.parametrize('derive', [expose_embedding, cut_head])
def test_a_model_without_a_head_is_rejected_with_its_last_layer(
    derive: Callable[[bytes], bytes],
) -> None:
    with pytest.raises(
        ModelFileError, match="'embedding' is the output of CONV_2D, not of SOFTMAX"
    ):
        derive(build_extractor('uint8'))
    with pytest.raises(ModelFileError, match='of edgetpu-custom-op, not of SOFTMAX'):
        derive(build_extractor('uint8', compiled=True))
    with pytest.raises(ModelFileError, match='not a TensorFlow Lite model'):
        derive(b'')


def test_a_softmax_behind_something_else_is_no_head() -> None:
    _, model = retrained('uint8', 2)
    tree = parse(model)
    # The softmax now takes in the embedding itself.
    tree.subgraphs[0].operators[-1].inputs = tree.subgraphs[0].operators[-2].inputs[:1]
    with pytest.raises(ModelFileError, match='not of FULLY_CONNECTED'):
        cut_head(pack(tree))
    tree.subgraphs[0].outputs = []
    with pytest.raises(ModelFileError, match='no output'):
        cut_head(pack(tree))


def test_the_head_is_found_by_its_layers() -> None:
    extractor, model = retrained('uint8', 4)
    tree = parse(model)
    head = find_head(tree)
    assert head.embedding == parse(extractor).subgraphs[0].outputs[0]
    assert head.scores == tree.subgraphs[0].outputs[0]
    assert list(head.operators) == tree.subgraphs[0].operators[-3:]
    assert describe(model).dimension == 3
