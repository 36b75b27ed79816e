# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Weights and bias of a head, read from intact and damaged files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.flatbuffer import parse
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.head.layers import find_head
from edgetpu_retrain.model_file.head.weights import read_head_weights
import numpy as np
import pytest
from support.small_models import build_extractor, pack

WEIGHTS = np.random.default_rng(2).normal(0, 0.5, (16, 3)).astype(np.float32)
BIAS = np.array([0, 1, -1], np.float32)


def retrained(dtype: str) -> bytes:
    head = Head(WEIGHTS, BIAS, ('a', 'b', 'c'), (-9.0, 9.0))
    return append_head(build_extractor(dtype, dimension=16), head)


@pytest.mark.parametrize(('dtype', 'error'), [('uint8', 0.02), ('int8', 0.02), ('float32', 0.0)])
def test_they_are_read_back(dtype: str, error: float) -> None:
    weights, bias = read_head_weights(retrained(dtype))
    np.testing.assert_allclose(weights, WEIGHTS, atol=error)
    np.testing.assert_allclose(bias, BIAS, atol=error)


def _without_a_bias(_tree: Any, layer: Any) -> None:
    layer.inputs = layer.inputs[:2]


def _of_another_length(tree: Any, layer: Any) -> None:
    bias = tree.subgraphs[0].tensors[layer.inputs[2]]
    bias.shape = [1]
    tree.buffers[bias.buffer].data = tree.buffers[bias.buffer].data[:4]


def _of_strange_numbers(tree: Any, layer: Any) -> None:
    # int16, TensorFlow Lite's number 7 (schema.fbs, TensorType).
    tree.subgraphs[0].tensors[layer.inputs[1]].type = 7


def _without_numbers(tree: Any, layer: Any) -> None:
    tree.buffers[tree.subgraphs[0].tensors[layer.inputs[1]].buffer].data = None


def _cut_short(tree: Any, layer: Any) -> None:
    buffer = tree.buffers[tree.subgraphs[0].tensors[layer.inputs[1]].buffer]
    buffer.data = buffer.data[:-1]


def _of_negative_lengths(tree: Any, layer: Any) -> None:
    tree.subgraphs[0].tensors[layer.inputs[1]].shape = [-3, -16]


def _without_a_scale(tree: Any, layer: Any) -> None:
    tree.subgraphs[0].tensors[layer.inputs[1]].quantization = None


def _with_a_scale_a_class(tree: Any, layer: Any) -> None:
    tree.subgraphs[0].tensors[layer.inputs[1]].quantization.scale = [0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    ('damage', 'words'),
    [
        (_without_a_bias, 'has 2 inputs'),
        (_of_another_length, r'weights \[3, 16\] and a bias \[1\]'),
        (_of_strange_numbers, 'has int16 numbers, or none'),
        (_without_numbers, 'numbers, or none'),
        (_cut_short, 'has 47 bytes'),
        (_of_negative_lengths, r'has 48 bytes for \[-3, -16\]'),
        (_without_a_scale, 'not quantized as a whole'),
        (_with_a_scale_a_class, 'not quantized as a whole'),
    ],
)
def test_a_damaged_head_raises_a_one_line_error(
    damage: Callable[[Any, Any], None], words: str
) -> None:
    tree = parse(retrained('uint8'))
    damage(tree, find_head(tree).operators[0])
    with pytest.raises(ModelFileError, match=words):
        read_head_weights(pack(tree))
