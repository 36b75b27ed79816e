# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Removes the notice that a TFLite runtime prints once per process.

The runtimes print ``INFO: Created TensorFlow Lite XNNPACK delegate for CPU.`` to standard error
when the first model is loaded.  They have neither a function nor an environment variable to set
their log level.  Therefore this module loads a tiny model first, and removes the notice from the
output.  All other output is printed unchanged, after the tiny model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
import contextlib
import os
import tempfile
from typing import Any

from edgetpu_retrain.model_file.flatbuffer import pack
from edgetpu_retrain.model_file.schema import load_schema

NOTICE = b'INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n'
_STDERR = 2


def skip_startup_notice(interpreter: Callable[..., Any]) -> None:
    """
    Load a tiny model, so that a runtime prints its startup notice, and discard the notice.

    Args:
        interpreter: the runtime's ``Interpreter`` class.
    """
    # Ignore errors here: if the runtime does not work, loading the user's model reports the cause.
    with contextlib.suppress(Exception), without_line(NOTICE):
        interpreter(model_content=_tiny_model()).allocate_tensors()


@contextlib.contextmanager
def without_line(line: bytes) -> Iterator[None]:
    """
    Remove a line from the output of this process to standard error inside the ``with`` block.

    The other output is printed at the end of the block.

    Args:
        line: the line, including its line feed.
    """
    with contextlib.ExitStack() as stack:
        terminal = os.dup(_STDERR)
        stack.callback(os.close, terminal)
        kept = stack.enter_context(tempfile.TemporaryFile())
        os.dup2(kept.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(terminal, _STDERR)
            kept.seek(0)
            os.write(_STDERR, kept.read().replace(line, b''))


def _tiny_model() -> bytes:
    """Return a model with a single float operator."""
    schema = load_schema()
    tensor = {'shape': [1, 4], 'type': schema.TensorType.FLOAT32}
    names = ('input', 'output')
    graph = schema.SubGraphT(
        tensors=[schema.TensorT(name=name, **tensor) for name in names],
        inputs=[0],
        outputs=[1],
        operators=[schema.OperatorT(opcodeIndex=0, inputs=[0], outputs=[1])],
    )
    relu = schema.BuiltinOperator.RELU
    code = schema.OperatorCodeT(deprecatedBuiltinCode=relu, builtinCode=relu, version=1)
    model = schema.ModelT(
        version=3, operatorCodes=[code], subgraphs=[graph], buffers=[schema.BufferT()]
    )
    return pack(model)
