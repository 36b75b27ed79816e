# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
import importlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

Array = npt.NDArray[Any]
SHARED = Path(__file__).parents[3] / 'shared'


def _interpreters() -> dict[str, Any]:
    """Return the runtimes of this environment; tflite-runtime works with NumPy 1 only."""
    found = {}
    for runtime in ('ai_edge_litert', 'tflite_runtime'):
        try:
            module = importlib.import_module(f'{runtime}.interpreter')
        except ImportError:
            continue
        if runtime != 'tflite_runtime' or np.__version__.startswith('1.'):
            found[runtime] = module
    return found


RUNTIMES = _interpreters()
Run = Callable[..., list[Array]]


@pytest.fixture(params=RUNTIMES)
def run(request: pytest.FixtureRequest) -> Run:
    """Return a function that runs a model on one input, for each runtime there is."""
    module = RUNTIMES[request.param]

    def outputs(model: bytes, tensor: Array, *, reference_kernels: bool = False) -> list[Array]:
        kernels = module.OpResolverType.BUILTIN_REF if reference_kernels else None
        options = {'experimental_op_resolver_type': kernels} if kernels is not None else {}
        interpreter = module.Interpreter(model_content=model, **options)
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]['index'], tensor)
        interpreter.invoke()
        return [
            interpreter.get_tensor(output['index']).copy()
            for output in interpreter.get_output_details()
        ]

    return outputs


@pytest.fixture
def shared() -> Path:
    """Return the folder of reference models, where this checkout has one beside it."""
    if not (SHARED / 'models').is_dir():
        pytest.skip(f'the reference models are not there ({SHARED})')
    return SHARED


@pytest.fixture
def data() -> Path:
    """Return the folder of numbers that were computed with Google's C++."""
    return Path(__file__).parent / 'data'
