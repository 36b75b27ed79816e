# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Keeps the notice that a TFLite runtime prints once per process off the user's terminal.

The runtimes print ``INFO: Created TensorFlow Lite XNNPACK delegate for CPU.`` to standard error
with the first model.  They have neither a function nor an environment variable for their log
level.  A tiny model of this module is therefore the first one, and that line is taken out of what
is printed meanwhile.  Everything else, and all that a user's model prints, is unchanged.
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
    Load the tiny model in a runtime, without its notice.

    Args:
        interpreter: the runtime's ``Interpreter`` class.
    """
    # What is wrong with a runtime is reported with the user's model.
    with contextlib.suppress(Exception), without_line(NOTICE):
        interpreter(model_content=_tiny_model()).allocate_tensors()


@contextlib.contextmanager
def without_line(line: bytes) -> Iterator[None]:
    """
    Take a line out of what this process prints to standard error inside the ``with`` block.

    Args:
        line: with its line feed.
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
    """Return a model of one float operator."""
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
