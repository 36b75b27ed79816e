# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Access to the .tflite schema in the runtime's package.

``ai_edge_litert.schema_py_generated`` is generated from the published ``schema.fbs``.  It is
imported when the first model file is parsed.  Code that parses no model file therefore works
without ai-edge-litert.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from edgetpu_retrain.errors import DeviceError

EDGETPU_CUSTOM_OP = 'edgetpu-custom-op'


@cache
def load_schema() -> Any:
    """
    Return the module of the .tflite schema.

    Raises:
        DeviceError: if ai-edge-litert is not installed.
    """
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise DeviceError(
            f'reading .tflite files needs the package ai-edge-litert ({error}); '
            'install it with: python3 -m pip install ai-edge-litert'
        ) from error
    return schema_py_generated


def builtin_code(operator_code: Any) -> int:
    """
    Return the built-in operator of an ``OperatorCodeT``.

    Files written before TensorFlow 2.4 have the operator only in the deprecated field, which is
    limited to 127.  Readers use the larger number of the two fields (comment in schema.fbs).
    """
    return max(int(operator_code.builtinCode), int(operator_code.deprecatedBuiltinCode))


def operator_name(operator_code: Any) -> str:
    """Return the name of a built-in operator, such as ``'SOFTMAX'``, or of a custom one."""
    code = builtin_code(operator_code)
    if code == load_schema().BuiltinOperator.CUSTOM:
        return text(operator_code.customCode)
    return _names('BuiltinOperator').get(code, f'operator {code}')


def type_name(tensor: Any) -> str:
    """Return the element type of a ``TensorT`` as a numpy dtype name, such as ``'uint8'``."""
    return _names('TensorType').get(int(tensor.type), f'type {tensor.type}').lower()


def text(string: Any) -> str:
    """Return a string of the file, bytes or str, as a str; '' if it is absent."""
    if string is None:
        return ''
    return string.decode(errors='replace') if isinstance(string, bytes) else str(string)


def indices(vector: Any) -> list[int]:
    """Return a vector of indices as a list; [] if it is absent."""
    return [] if vector is None else [int(index) for index in vector]


@cache
def _names(enumeration: str) -> dict[int, str]:
    members = vars(getattr(load_schema(), enumeration))
    return {value: name for name, value in members.items() if isinstance(value, int)}
