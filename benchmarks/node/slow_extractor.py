# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""An embedding extractor that takes at least a given time on any machine."""

from __future__ import annotations

import time
from typing import Any

from ai_edge_litert import schema_py_generated as schema
from edgetpu_retrain.runtime.models.extractor import Extractor
import flatbuffers
import numpy as np
import numpy.typing as npt

_SIZE = 224
_STEM = 8
_CHANNELS = 64
_SCALE, _WEIGHTS_SCALE = 0.05, 0.002
_ZERO_POINTS = {'image': 0, 'features': -128}
_PASSES = 15
# The speed of a machine varies from minute to minute.
_MARGIN = 1.2


def slow_extractor(least_ms: float, num_threads: int = 1) -> tuple[bytes, float]:
    """
    Return an int8 extractor with as many random convolutions as necessary.

    Args:
        least_ms: shortest time for resize and invoke, milliseconds.
        num_threads: threads for inference.

    Returns:
        The bytes of the .tflite file, and the measured time, milliseconds.
    """
    layers = 4
    while (took := _fastest_ms(build(layers), num_threads)) < _MARGIN * least_ms:
        layers = max(layers + 1, round(layers * min(4.0, _MARGIN * least_ms / took)))
    return build(layers), took


def _fastest_ms(model: bytes, num_threads: int) -> float:
    extractor = Extractor(model, device='cpu', num_threads=num_threads)
    picture = np.zeros((480, 640, 3), np.uint8)
    seconds = []
    for _ in range(_PASSES):
        started = time.perf_counter()
        extractor.embed(picture)
        seconds.append(time.perf_counter() - started)
    return 1000 * min(seconds)


def build(layers: int) -> bytes:
    """Return an extractor of one coarse convolution, ``layers`` 3x3 ones, and a global mean."""
    model = schema.ModelT(version=3, description='Slow extractor of the benchmark.')
    model.buffers, model.operatorCodes = [schema.BufferT()], []
    graph = schema.SubGraphT(name='main', tensors=[], operators=[], inputs=[0])
    model.subgraphs = [graph]
    rng = np.random.default_rng(0)
    features = _tensor(model, [1, _SIZE, _SIZE, 3], _ZERO_POINTS['image'])
    features = _convolution(model, rng, features, 3, _STEM, _STEM)
    for _ in range(layers):
        features = _convolution(model, rng, features, _CHANNELS, 3, 1)
    graph.outputs = [_mean(model, features)]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b'TFL3')
    return bytes(builder.Output())


def _tensor(
    model: Any,
    shape: list[int],
    zero_point: int,
    scale: float = _SCALE,
    content: npt.NDArray[Any] | None = None,
) -> int:
    data = None if content is None else np.frombuffer(content.tobytes(), np.uint8)
    model.buffers.append(schema.BufferT(data=data))
    wide = content is not None and content.dtype == np.int32
    quantization = schema.QuantizationParametersT(
        scale=np.array([scale], np.float32), zeroPoint=np.array([zero_point], np.int64)
    )
    tensors = model.subgraphs[0].tensors
    tensors.append(
        schema.TensorT(
            shape=shape,
            type=schema.TensorType.INT32 if wide else schema.TensorType.INT8,
            buffer=len(model.buffers) - 1,
            name=f'tensor{len(tensors)}',
            quantization=quantization,
            hasRank=True,
        )
    )
    return len(tensors) - 1


def _operator(model: Any, code: int, version: int, tensors: list[int], **options: Any) -> int:
    """Add an operator whose last tensor is its output, and return that tensor."""
    model.operatorCodes.append(
        schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=code, version=version)
    )
    model.subgraphs[0].operators.append(
        schema.OperatorT(
            opcodeIndex=len(model.operatorCodes) - 1,
            inputs=tensors[:-1],
            outputs=tensors[-1:],
            **options,
        )
    )
    return tensors[-1]


def _convolution(
    model: Any, rng: np.random.Generator, features: int, channels: int, kernel: int, stride: int
) -> int:
    side = _SIZE // _STEM
    # Keeps the features within their range, and different pictures distinct, in all layers.
    spread = np.sqrt(4.0 / (channels * kernel * kernel)) / _WEIGHTS_SCALE
    weights = rng.normal(0, spread, (_CHANNELS, kernel, kernel, channels))
    weights = np.clip(np.rint(weights), -127, 127).astype(np.int8)
    bias = np.zeros(_CHANNELS, np.int32)
    return _operator(
        model,
        schema.BuiltinOperator.CONV_2D,
        3,
        [
            features,
            _tensor(model, list(weights.shape), 0, _WEIGHTS_SCALE, weights),
            _tensor(model, [_CHANNELS], 0, _SCALE * _WEIGHTS_SCALE, bias),
            _tensor(model, [1, side, side, _CHANNELS], _ZERO_POINTS['features']),
        ],
        builtinOptionsType=schema.BuiltinOptions.Conv2DOptions,
        builtinOptions=schema.Conv2DOptionsT(
            padding=schema.Padding.SAME,
            strideH=stride,
            strideW=stride,
            fusedActivationFunction=schema.ActivationFunctionType.RELU,
        ),
    )


def _mean(model: Any, features: int) -> int:
    side = _SIZE // _STEM
    return _operator(
        model,
        schema.BuiltinOperator.AVERAGE_POOL_2D,
        2,
        [features, _tensor(model, [1, 1, 1, _CHANNELS], _ZERO_POINTS['features'])],
        builtinOptionsType=schema.BuiltinOptions.Pool2DOptions,
        builtinOptions=schema.Pool2DOptionsT(
            padding=schema.Padding.VALID,
            strideH=side,
            strideW=side,
            filterHeight=side,
            filterWidth=side,
        ),
    )
