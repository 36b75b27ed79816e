# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Adds tensors and operators to the tree of a model."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.model_file.schema import builtin_code, load_schema
import numpy as np
import numpy.typing as npt

# Operator versions for int8; all others are 1 (op_version.cc in tensorflow/lite/tools/versioning).
_INT8_VERSIONS = {'FULLY_CONNECTED': 4, 'SOFTMAX': 2}


def add_tensor(
    tree: Any, name: str, shape: Any, dtype: str, quantization: QuantizationParameters | None
) -> int:
    """Add a tensor without content; return its index."""
    schema = load_schema()
    tree.buffers.append(schema.BufferT())
    details = None
    if quantization is not None:
        details = schema.QuantizationParametersT(
            scale=np.array([quantization.scale], np.float32),
            zeroPoint=np.array([quantization.zero_point], np.int64),
        )
    tensors = tree.subgraphs[0].tensors
    tensors.append(
        schema.TensorT(
            shape=list(shape),
            type=getattr(schema.TensorType, dtype.upper()),
            buffer=len(tree.buffers) - 1,
            name=name,
            quantization=details,
        )
    )
    return len(tensors) - 1


def add_constant(
    tree: Any, name: str, values: npt.NDArray[Any], quantization: QuantizationParameters | None
) -> int:
    """Add a tensor with constant content; return its index."""
    tensor = add_tensor(tree, name, values.shape, values.dtype.name, quantization)
    little_endian = values.astype(values.dtype.newbyteorder('<'))
    tree.buffers[-1].data = np.frombuffer(little_endian.tobytes(), np.uint8)
    return tensor


def add_operator(
    tree: Any, name: str, dtype: str, options: Any, inputs: list[int], output: int
) -> None:
    """Add a built-in operator; ``dtype`` is the element type of its first input."""
    schema = load_schema()
    version = _INT8_VERSIONS.get(name, 1) if dtype == 'int8' else 1
    tree.subgraphs[0].operators.append(
        schema.OperatorT(
            opcodeIndex=_operator_code(tree, name, version),
            inputs=inputs,
            outputs=[output],
            builtinOptionsType=getattr(
                schema.BuiltinOptions, type(options).__name__.removesuffix('T')
            ),
            builtinOptions=options,
        )
    )


def _operator_code(tree: Any, name: str, version: int) -> int:
    """Return the index of an operator code, reusing an existing one if possible."""
    schema = load_schema()
    wanted = getattr(schema.BuiltinOperator, name)
    for index, code in enumerate(tree.operatorCodes):
        # A newer version can be reused, because the model requires a runtime for it anyway.
        if builtin_code(code) == wanted and code.version >= version:
            code.builtinCode = wanted
            return index
    tree.operatorCodes.append(
        schema.OperatorCodeT(deprecatedBuiltinCode=wanted, builtinCode=wanted, version=version)
    )
    return len(tree.operatorCodes) - 1
