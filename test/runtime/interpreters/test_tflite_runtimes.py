# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path
import sys
from typing import Any

from edgetpu_retrain.errors import DeviceError
from edgetpu_retrain.runtime.interpreters.tflite_runtimes import (
    coral_make_interpreter,
    cpu_runtime,
    edgetpu_runtime,
    TfliteRuntime,
)
import numpy as np
import pytest


def hide(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """Make packages look as if they were not installed."""
    for package in packages:
        monkeypatch.setitem(sys.modules, f'{package}.interpreter', None)


def write_package(folder: Path, module: str, source: str) -> None:
    *packages, name = module.split('.')
    for package in packages:
        folder /= package
        folder.mkdir(exist_ok=True)
        (folder / '__init__.py').touch()
    (folder / f'{name}.py').write_text(source)


def stand_in(site: Path, package: str) -> None:
    write_package(
        site, f'{package}.interpreter', f'Interpreter = "{package}"\nload_delegate = None\n'
    )


def test_the_cpu_is_served_by_ai_edge_litert() -> None:
    runtime = cpu_runtime()
    name, version = runtime.name.split()
    assert name == 'ai-edge-litert'
    assert version[0].isdigit()


def test_without_ai_edge_litert_the_cpu_is_served_by_tflite_runtime(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(site, 'tflite_runtime')
    hide(monkeypatch, 'ai_edge_litert')
    runtime = cpu_runtime()
    assert runtime.name.startswith('tflite-runtime ')
    assert runtime.interpreter is sys.modules['tflite_runtime.interpreter'].Interpreter


def test_an_edge_tpu_is_served_by_tflite_runtime_first(site: Path) -> None:
    stand_in(site, 'tflite_runtime')
    assert edgetpu_runtime().name.startswith('tflite-runtime ')


def test_without_tflite_runtime_an_edge_tpu_is_served_by_ai_edge_litert(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hide(monkeypatch, 'tflite_runtime')
    assert edgetpu_runtime().name.startswith('ai-edge-litert ')


def test_without_any_runtime_the_error_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hide(monkeypatch, 'ai_edge_litert', 'tflite_runtime')
    with pytest.raises(DeviceError, match='pip install ai-edge-litert'):
        cpu_runtime()


def test_a_runtime_that_cannot_be_imported_is_named(site: Path) -> None:
    write_package(site, 'tflite_runtime.interpreter', 'import a_library_that_is_not_there\n')
    with pytest.raises(DeviceError, match=r'tflite-runtime .*a_library_that_is_not_there'):
        edgetpu_runtime()


@pytest.mark.parametrize(
    ('numpy', 'remedy'), [('2.4.0', 'numpy<2'), ('1.21.5', 'tflite-runtime<2.14')]
)
def test_a_runtime_that_was_compiled_for_another_numpy_becomes_one_sentence(
    numpy: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(np, '__version__', numpy)

    def fail(**_options: object) -> Any:
        # What tflite-runtime 2.14 does with numpy 2, and with one older than 1.23.
        raise SystemError('CreateWrapperFromBuffer returned a result with an exception set')

    runtime = TfliteRuntime('tflite-runtime 2.14.0', fail, lambda _library, _options: None)
    with pytest.raises(DeviceError) as refused:
        runtime.make_interpreter(b'model')
    assert str(refused.value) == (
        f'tflite-runtime 2.14.0 does not work with numpy {numpy}: pip install '
        f"'{remedy}', or remove tflite-runtime and pip install ai-edge-litert"
    )


def test_without_pycoral_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'pycoral', None)
    assert coral_make_interpreter() is None


def test_the_pypi_project_named_pycoral_is_not_corals(site: Path) -> None:
    write_package(site, 'pycoral.reef', 'make_interpreter = None\n')
    assert coral_make_interpreter() is None


def test_corals_pycoral_is_found(site: Path) -> None:
    write_package(site, 'pycoral.utils.edgetpu', 'def make_interpreter(): ...\n')
    found = coral_make_interpreter()
    assert found is not None
    name, make_interpreter = found
    assert name.startswith('pycoral ')
    assert make_interpreter is sys.modules['pycoral.utils.edgetpu'].make_interpreter


def test_a_pycoral_that_cannot_be_imported_is_named(site: Path) -> None:
    write_package(site, 'pycoral.utils.edgetpu', 'import a_library_that_is_not_there\n')
    with pytest.raises(DeviceError, match=r'pycoral .*a_library_that_is_not_there'):
        coral_make_interpreter()
