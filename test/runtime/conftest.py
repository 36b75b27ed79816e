# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""Fixtures of the runtime's tests: packages, devices and a library that are not really there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import shutil
import sys
from types import ModuleType

from edgetpu_retrain.runtime import device as device_module
from edgetpu_stand_in import build_edgetpu_stand_in
import numpy as np
import pytest

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
