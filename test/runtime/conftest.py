# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the runtime's tests: simulated packages, devices and Edge TPU library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import copy
import os
from pathlib import Path
import shutil
import sys
from types import ModuleType

from ai_edge_litert import schema_py_generated as schema
from edgetpu_retrain.runtime.engines import edgetpu_engine
from edgetpu_retrain.runtime.interpreters import device as device_module
from edgetpu_retrain.runtime.interpreters import edgetpu
import numpy as np
import pytest
from support.edgetpu_stand_in import build_edgetpu_stand_in
from support.small_models import build_extractor_tree, pack

RUNTIMES = ('ai_edge_litert', 'tflite_runtime')


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder that is searched first for packages, which the test puts there."""
    folder = tmp_path / 'site'
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    kept = take_modules('pycoral', 'tflite_runtime')
    yield folder
    take_modules('pycoral', 'tflite_runtime')
    sys.modules.update(kept)


def take_modules(*packages: str) -> dict[str, ModuleType]:
    """Take packages, and all that is below them, out of what has been imported."""
    names = [name for name in sys.modules if name.partition('.')[0] in packages]
    return {name: sys.modules.pop(name) for name in names}


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the root of the folders in which the kernel shows devices, none of them so far."""
    root = tmp_path / 'kernel'
    (root / 'sys').mkdir(parents=True)
    (root / 'dev').mkdir()
    monkeypatch.setattr(device_module, 'USB_DEVICES', root / 'sys')
    monkeypatch.setattr(device_module, 'DEVICE_FILES', root / 'dev')
    monkeypatch.setattr(device_module, 'APEX_FACTS', root / 'apex')
    return root


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Leave one of the two runtimes and return its name."""
    name: str = request.param
    if name == 'tflite_runtime':
        pytest.importorskip('tflite_runtime')
        if int(np.__version__.partition('.')[0]) >= 2:
            pytest.skip('tflite-runtime needs numpy 1')
    (other,) = set(RUNTIMES) - {name}
    monkeypatch.setitem(sys.modules, f'{other}.interpreter', None)
    return name.replace('_', '-')


@pytest.fixture(scope='session')
def compiled_stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_edgetpu_stand_in(tmp_path_factory.mktemp('edgetpu'))


@pytest.fixture
def library(compiled_stand_in: Path, tmp_path: Path) -> str:
    """Return a stand-in for Coral's library that is new to this process: it counts invocations."""
    return str(shutil.copy(compiled_stand_in, tmp_path / 'libedgetpu.so.1'))


@pytest.fixture
def edgetpu_library(library: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let this process and its children find the stand-in for Coral's library."""
    monkeypatch.setattr(edgetpu, 'LIBRARY', library)
    others = os.environ.get('LD_LIBRARY_PATH', '')
    monkeypatch.setenv('LD_LIBRARY_PATH', f'{Path(library).parent}:{others}')
    return library


@pytest.fixture
def unprobed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the child process out, where it is not what the test is about."""
    monkeypatch.setattr(edgetpu_engine, 'probe', lambda *_arguments, **_options: None)


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what tells the stand-in, in this process and in its children, how to behave."""
    file = tmp_path / 'behaviour'
    monkeypatch.setenv('EDGETPU_STAND_IN', f'@{file}')

    def write(behaviour: str) -> None:
        file.write_text(behaviour)

    return write


@pytest.fixture
def killing_extractor() -> bytes:
    """
    Return an extractor, uint8 to 16 values, whose file is intact and which ends its process.

    Its last layer transposes by a permutation that it does not give, and the runtimes look there
    unchecked.
    """
    tree = build_extractor_tree('uint8', dimension=16)
    (graph,) = tree.subgraphs
    (embedding,) = graph.outputs
    tree.buffers.append(schema.BufferT())
    transposed = copy.copy(graph.tensors[embedding])
    transposed.name, transposed.buffer = 'transposed', len(tree.buffers) - 1
    graph.tensors.append(transposed)
    graph.outputs = [len(graph.tensors) - 1]
    transpose = schema.BuiltinOperator.TRANSPOSE
    tree.operatorCodes.append(
        schema.OperatorCodeT(builtinCode=transpose, deprecatedBuiltinCode=transpose, version=1)
    )
    graph.operators.append(
        schema.OperatorT(
            opcodeIndex=len(tree.operatorCodes) - 1,
            inputs=[embedding, -1],
            outputs=graph.outputs,
        )
    )
    return pack(tree)
