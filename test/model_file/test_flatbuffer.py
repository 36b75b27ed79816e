# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
import tracemalloc
from typing import Any

from ai_edge_litert import schema_py_generated as schema
from edgetpu_retrain.errors import DeviceError, ModelFileError
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.description import describe_embedding
from edgetpu_retrain.model_file.flatbuffer import pack, parse, parse_to_read
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.head.weights import read_head_weights
from edgetpu_retrain.model_file.metadata.labels import read_labels
from edgetpu_retrain.model_file.metadata.unknown_entry import read_unknown
from edgetpu_retrain.model_file.schema import load_schema, operator_name, text, type_name
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from support import small_models
from support.small_models import build_extractor, build_extractor_tree, EDGETPU_PAYLOAD

MODELS = [
    build_extractor(dtype, compiled=compiled)
    for dtype in ('uint8', 'int8', 'float32')
    for compiled in (False, True)
]


def as_plain(node: Any) -> Any:
    """Return a tree as plain lists and dictionaries, which can be compared."""
    if isinstance(node, np.ndarray):
        return node.tolist()
    if isinstance(node, list):
        return [as_plain(entry) for entry in node]
    if hasattr(node, '__dict__'):
        return {name: as_plain(value) for name, value in vars(node).items()}
    return node


@pytest.mark.parametrize('model', MODELS)
def test_parsing_and_packing_preserves_the_model(model: bytes) -> None:
    again = pack(parse(model))
    assert as_plain(parse(again)) == as_plain(parse(model))
    assert pack(parse(again)) == again


def test_packing_needs_memory_for_little_more_than_two_models() -> None:
    model = default_extractor_path().read_bytes()
    tree = parse(model)
    tracemalloc.start()
    try:
        packed = pack(tree)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(packed) > 0.9 * len(model)
    assert most < 2.5 * len(model)


def test_a_tree_that_is_shared_is_only_read() -> None:
    head = Head(np.eye(8, 3, dtype=np.float32), np.zeros(3, np.float32), ('a', 'b', 'c'), (-4, 4))
    model = append_head(build_extractor('uint8', dimension=8), head)
    tree = parse_to_read(model)
    before = as_plain(tree)
    assert read_labels(model) == ('a', 'b', 'c')
    assert describe_embedding(model).dimension == 8
    assert read_head_weights(model)[0].shape == (8, 3)
    read_unknown(model, 8)
    # One tree answered all of it, and is as it was.
    assert parse_to_read(model) is tree
    assert as_plain(tree) == before
    # Who changes a tree has one of his own.
    assert parse(model) is not tree


@pytest.mark.parametrize('model', MODELS)
def test_every_byte_vector_lies_at_a_multiple_of_16(model: bytes) -> None:
    packed = pack(parse(model))
    graph = schema.Model.GetRootAs(packed).Subgraphs(0)
    root = schema.Model.GetRootAs(packed)
    vectors = [root.Buffers(index).DataAsNumpy() for index in range(root.BuffersLength())]
    vectors += [
        graph.Operators(index).CustomOptionsAsNumpy() for index in range(graph.OperatorsLength())
    ]
    # Absent vectors come out as 0.
    found = [vector for vector in vectors if isinstance(vector, np.ndarray)]
    assert found
    start = np.frombuffer(packed, np.uint8).ctypes.data
    assert {(vector.ctypes.data - start) % 16 for vector in found} == {0}


def test_the_program_for_the_edge_tpu_stays_as_it_is() -> None:
    model = build_extractor('uint8', compiled=True)
    packed = pack(parse(model))
    assert packed.count(EDGETPU_PAYLOAD) == 1
    assert packed.index(EDGETPU_PAYLOAD) % 16 == 0


@pytest.mark.parametrize(
    'content', [b'', b'TFL3', b'PK\3\4' * 10, b'\x1c\0\0\0ONNX' + bytes(40), bytes(1000)]
)
def test_other_files_than_models_are_rejected(content: bytes) -> None:
    with pytest.raises(ModelFileError, match=r"not a TensorFlow Lite model.*'TFL3'"):
        parse(content)


def test_every_truncation_is_rejected_or_read() -> None:
    model = MODELS[0]
    refused = 0
    for length in range(0, len(model), 7):
        refused += not _is_read(model[:length])
    assert refused > len(model) / 7 * 0.9


def _is_read(model: bytes) -> bool:
    try:
        parse(model)
    except ModelFileError:
        return False
    return True


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(MODELS),
    st.lists(
        st.tuples(st.integers(0, 10_000), st.sampled_from([0, 1, 4, 127, 128, 255])),
        min_size=1,
        max_size=8,
    ),
)
def test_damaged_models_raise_model_file_error_or_still_parse(
    model: bytes, changes: list[tuple[int, int]]
) -> None:
    damaged = bytearray(model)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    try:
        tree = parse(bytes(damaged))
    except ModelFileError:
        return
    assert len(pack(tree)) < 4 * len(model) + 2**17


def test_parts_that_overlap_are_not_unpacked_over_and_over() -> None:
    tree = build_extractor_tree('uint8')
    named = schema.TensorT(shape=[1], name='x' * 100_000)
    tree.subgraphs[0].tensors += [_WrittenOnce(named)] * 10_000
    model = small_models.pack(tree)
    # Unpacked they would be a gigabyte.
    assert len(model) < 200_000
    with pytest.raises(ModelFileError, match='parts overlap'):
        parse(model)


def test_more_parts_than_any_model_has_are_not_unpacked() -> None:
    tree = build_extractor_tree('uint8')
    tree.subgraphs[0].tensors += [_WrittenOnce(schema.TensorT(shape=[1]))] * 30_000
    with pytest.raises(ModelFileError, match='more than 20000 tensors'):
        parse(small_models.pack(tree))


class _WrittenOnce:
    """An object of which all mentions in the file point to the same place."""

    def __init__(self, content: Any) -> None:
        self._content = content
        self._place: Any = None

    def Pack(self, builder: Any) -> Any:  # noqa: N802
        if self._place is None:
            self._place = self._content.Pack(builder)
        return self._place


def test_several_subgraphs_are_rejected_with_their_number() -> None:
    tree = build_extractor_tree('uint8')
    tree.subgraphs = tree.subgraphs * 3
    with pytest.raises(ModelFileError, match='3 subgraphs'):
        parse(small_models.pack(tree))


@pytest.mark.parametrize(
    ('part', 'message'),
    [
        ('operator code', 'operator code 9, and there are 1'),
        ('input', 'tensor 99'),
        ('output', 'tensor -1'),
        ('graph', 'tensor 50'),
        ('buffer', 'buffer 70'),
        ('metadata', 'buffer 71'),
        ('signature', 'tensor 72'),
    ],
)
def test_an_index_out_of_range_is_rejected(part: str, message: str) -> None:
    tree = build_extractor_tree('uint8')
    graph = tree.subgraphs[0]
    if part == 'operator code':
        graph.operators[0].opcodeIndex = 9
    elif part == 'input':
        graph.operators[0].inputs[1] = 99
    elif part == 'output':
        graph.operators[0].outputs = [-1]
    elif part == 'graph':
        graph.outputs = [50]
    elif part == 'buffer':
        graph.tensors[0].buffer = 70
    elif part == 'metadata':
        tree.metadata[0].buffer = 71
    else:
        tree.signatureDefs[0].outputs[0].tensorIndex = 72
    with pytest.raises(ModelFileError, match=message):
        parse(small_models.pack(tree))


def test_weights_outside_the_flatbuffer_are_rejected_rather_than_lost() -> None:
    tree = build_extractor_tree('uint8')
    tree.buffers[2].offset = 4096
    tree.buffers[2].size = 64
    with pytest.raises(ModelFileError, match='outside its flatbuffer'):
        parse(small_models.pack(tree))


def test_options_of_a_newer_schema_are_rejected_rather_than_lost() -> None:
    tree = build_extractor_tree('uint8')
    tree.subgraphs[0].operators[0].builtinOptionsType = 250
    with pytest.raises(ModelFileError, match='upgrade it'):
        parse(small_models.pack(tree))


def test_a_missing_schema_package_is_named_with_its_install_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load_schema.cache_clear()
    monkeypatch.setitem(__import__('sys').modules, 'ai_edge_litert', None)
    with pytest.raises(DeviceError, match='pip install ai-edge-litert'):
        parse(MODELS[0])


def test_operator_and_type_names_are_the_usual_ones() -> None:
    tree = parse(MODELS[1])
    assert operator_name(tree.operatorCodes[0]) == 'edgetpu-custom-op'
    # A file from before TensorFlow 2.4 has its operator in the deprecated field only.
    old = schema.OperatorCodeT(deprecatedBuiltinCode=schema.BuiltinOperator.SOFTMAX)
    assert operator_name(old) == 'SOFTMAX'
    assert operator_name(schema.OperatorCodeT(builtinCode=9999)) == 'operator 9999'
    assert type_name(tree.subgraphs[0].tensors[0]) == 'uint8'
    assert text(b'caf\xc3\xa9 \xff') == 'café \ufffd'
    assert text(None) == ''
