# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Small image classifiers, as other tools write them: the small extractors with layers behind them.

    from support.small_classifiers import build_classifier
    model = build_classifier('uint8', classes=3)
"""

from __future__ import annotations

from typing import Any

from ai_edge_litert import schema_py_generated as schema
import numpy as np
from support.small_models import (
    add_operator,
    add_tensor,
    build_extractor_tree,
    EMBEDDING_SCALE,
    pack,
)

# (zero point of weights, logits and scores; versions of FULLY_CONNECTED, CONV_2D and SOFTMAX)
_QUANTIZED = {'uint8': (128, 128, 0, 1, 1, 1), 'int8': (0, 0, -128, 4, 3, 2)}
_WEIGHTS_SCALE = 1 / 64
_LOGITS_SCALE = 1 / 8


def build_classifier(dtype: str, **options: Any) -> bytes:
    """Return the bytes of a small .tflite classifier; see :func:`build_classifier_tree`."""
    return pack(build_classifier_tree(dtype, **options))


def build_classifier_tree(
    dtype: str,
    *,
    classes: int = 3,
    convolution: bool = False,
    pooling: str = '',
    activation: str = 'NONE',
    result: str = 'SOFTMAX',
    dimension: int = 8,
    **options: Any,
) -> Any:
    """
    Return a small classifier as the schema's ``ModelT``, which can be changed before packing.

    Args:
        dtype: ``'uint8'``, ``'int8'`` or ``'float32'``.
        classes: number C of classes.
        convolution: whether the classifying layer is a 1x1 convolution with a SQUEEZE behind it,
            as in MobileNet v1, and not a fully-connected layer.
        pooling: the layer behind the convolution, ``'AVERAGE_POOL_2D'``, ``'MAX_POOL_2D'`` or
            ``'MEAN'``, as in SqueezeNet; with ``spatial=2``.
        activation: that of the classifying layer.
        result: the last layer, ``'SOFTMAX'`` or ``'LOGISTIC'``; '' = the output is logits.
        dimension: length of the embedding.
        options: those of :func:`~support.small_models.build_extractor_tree`.
    """
    rank = 4 if convolution else 2
    tree = build_extractor_tree(dtype, dimension=dimension, rank=rank, **options)
    return add_classes(
        tree, dtype, classes, result, convolution, pooling=pooling, activation=activation
    )


def add_classes(
    tree: Any,
    dtype: str,
    classes: int,
    result: str,
    convolution: bool = False,
    *,
    pooling: str = '',
    activation: str = 'NONE',
) -> Any:
    """Add the layers of a classifier behind the output of a model, and return the model."""
    (graph,) = tree.subgraphs
    (embedding,) = graph.outputs
    dimension = graph.tensors[embedding].shape[-1]
    points = _QUANTIZED.get(dtype, (0, 0, 0, 1, 1, 1))
    rng = np.random.default_rng(5)
    weights = rng.normal(0, 0.5, (classes, dimension)).astype(np.float32)
    if dtype != 'float32':
        weights = np.clip(np.rint(weights / _WEIGHTS_SCALE), -127, 127) + points[0]
    shape = [classes, 1, 1, dimension] if convolution else [classes, dimension]
    kernel = add_tensor(
        tree, 'kernel', dtype, shape, _WEIGHTS_SCALE, points[0], weights.astype(dtype)
    )
    bias_type = 'float32' if dtype == 'float32' else 'int32'
    bias = add_tensor(
        tree, 'bias2', bias_type, [classes], EMBEDDING_SCALE * _WEIGHTS_SCALE, 0,
        np.zeros(classes, bias_type),
    )  # fmt: skip
    leading = list(graph.tensors[embedding].shape)[:-1]
    output = add_tensor(tree, 'logits', dtype, [*leading, classes], _LOGITS_SCALE, points[1])
    name = 'CONV_2D' if convolution else 'FULLY_CONNECTED'
    kind = schema.Conv2DOptionsT if convolution else schema.FullyConnectedOptionsT
    options = kind()
    options.fusedActivationFunction = getattr(schema.ActivationFunctionType, activation)
    _add(tree, name, points[4 if convolution else 3], options, [embedding, kernel, bias], output)
    if pooling:
        output = _add_pooling(tree, dtype, pooling, output, points[1])
    if convolution:
        flat = add_tensor(tree, 'squeezed', dtype, [1, classes], _LOGITS_SCALE, points[1])
        _add(tree, 'SQUEEZE', 1, schema.SqueezeOptionsT(squeezeDims=[1, 2]), [output], flat)
        output = flat
    if result:
        scores = add_tensor(tree, 'probabilities', dtype, [1, classes], 1 / 256, points[2])
        softmax = schema.SoftmaxOptionsT(beta=1.0) if result == 'SOFTMAX' else None
        _add(tree, result, points[5], softmax, [output], scores)
        output = scores
    graph.outputs = [output]
    tree.signatureDefs[0].outputs[0].tensorIndex = output
    return tree


def _add_pooling(tree: Any, dtype: str, name: str, scores: int, zero_point: int) -> int:
    _, height, width, classes = tree.subgraphs[0].tensors[scores].shape
    shape = [1, 1, 1, classes]
    output = add_tensor(tree, 'pooled', dtype, shape, _LOGITS_SCALE, zero_point)
    version = 2 if dtype == 'int8' else 1
    if name == 'MEAN':
        axes = add_tensor(tree, 'axes', 'int32', [2], 1, 0, np.array([1, 2], np.int32))
        _add(tree, name, version, schema.ReducerOptionsT(keepDims=True), [scores, axes], output)
    else:
        options = schema.Pool2DOptionsT(filterHeight=height, filterWidth=width)
        _add(tree, name, version, options, [scores], output)
    return output


def _add(tree: Any, name: str, version: int, options: Any, inputs: list[int], output: int) -> None:
    fields = {}
    if options is not None:
        kind = type(options).__name__.removesuffix('T')
        fields = {
            'builtinOptionsType': getattr(schema.BuiltinOptions, kind),
            'builtinOptions': options,
        }
        if hasattr(options, 'strideH'):
            options.strideH = options.strideW = 1
            options.padding = schema.Padding.VALID
    code = getattr(schema.BuiltinOperator, name)
    add_operator(tree, code, inputs, [output], version, **fields)
