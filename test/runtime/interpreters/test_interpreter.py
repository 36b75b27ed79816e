# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

from ai_edge_litert import interpreter as litert
from edgetpu_retrain.errors import DeviceError, ModelFileError
from edgetpu_retrain.runtime.interpreters import edgetpu
from edgetpu_retrain.runtime.interpreters.interpreter import load_model
import numpy as np
import pytest
from support.small_models import build_extractor

MODEL = build_extractor('uint8')
COMPILED = build_extractor('uint8', compiled=True)
LOAD_IN_A_PROCESS = """
import sys
sys.modules['tflite_runtime.interpreter'] = None
from edgetpu_retrain.runtime.interpreters.interpreter import load_model
loaded = load_model(
    open(sys.argv[1], 'rb').read(), compiled='edgetpu' in sys.argv[1], device=sys.argv[2]
)
print(loaded.device, loaded.runtime)
"""


def use_library(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    monkeypatch.setattr(edgetpu, 'LIBRARY', library)


def attach_an_edgetpu(kernel: Path) -> None:
    (kernel / 'dev' / 'apex_0').touch()


@pytest.mark.parametrize('dtype', ['uint8', 'int8', 'float32'])
@pytest.mark.parametrize('num_threads', [1, 2])
def test_a_model_is_ready_to_be_invoked(dtype: str, num_threads: int, runtime: str) -> None:
    loaded = load_model(build_extractor(dtype), compiled=False, num_threads=num_threads)
    assert loaded.runtime.startswith(f'{runtime} ')
    assert loaded.device == 'cpu'
    (embedding,) = loaded.interpreter.get_output_details()
    warm = loaded.interpreter.get_tensor(embedding['index'])
    loaded.interpreter.invoke()
    np.testing.assert_array_equal(loaded.interpreter.get_tensor(embedding['index']), warm)
    assert np.unique(warm).size > 1, 'the model has not been invoked yet'


@pytest.mark.parametrize('device', ['auto', 'cpu'])
@pytest.mark.usefixtures('kernel')
def test_without_an_edge_tpu_there_is_nothing_to_note(device: str) -> None:
    assert load_model(MODEL, compiled=False, device=device).note == ''


def test_an_edge_tpu_that_the_model_cannot_use_is_noted(kernel: Path) -> None:
    attach_an_edgetpu(kernel)
    note = load_model(MODEL, compiled=False, device='auto').note
    assert 'An Edge TPU is attached' in note
    assert 'runs on the CPU' in note
    assert 'edgetpu_compiler' in note
    assert load_model(MODEL, compiled=False, device='cpu').note == ''


@pytest.mark.parametrize('device', ['usb', 'usb:0', 'pci', ':1'])
@pytest.mark.usefixtures('kernel')
def test_a_model_that_is_not_compiled_runs_on_the_cpu_and_says_so(device: str) -> None:
    loaded = load_model(MODEL, compiled=False, device=device)
    assert loaded.device == 'cpu'
    assert repr(device) in loaded.note
    assert 'runs on the CPU' in loaded.note
    assert 'edgetpu_compiler' in loaded.note


@pytest.mark.usefixtures('kernel', 'without_xnnpack')
def test_a_model_that_runs_without_xnnpack_says_so() -> None:
    for dtype in ('uint8', 'int8', 'float32'):
        loaded = load_model(build_extractor(dtype), compiled=False)
        assert loaded.note.startswith(f'{loaded.runtime} runs this model without XNNPACK')
        assert '\n' not in loaded.note


@pytest.mark.usefixtures('kernel', 'without_xnnpack')
def test_both_reasons_for_being_slow_are_noted() -> None:
    note = load_model(MODEL, compiled=False, device='usb:0').note
    assert "device is 'usb:0'" in note
    assert 'without XNNPACK' in note


def test_a_runtime_that_cannot_be_asked_about_xnnpack_still_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(litert.Interpreter, '_get_ops_details')
    loaded = load_model(MODEL, compiled=False, device='cpu')
    assert loaded.device == 'cpu'
    assert loaded.note == ''


def test_a_compiled_model_is_rejected_on_the_cpu() -> None:
    with pytest.raises(DeviceError) as refused:
        load_model(COMPILED, compiled=True, device='cpu')
    assert "device is 'cpu', but this model is compiled for the Edge TPU" in str(refused.value)
    assert "without '_edgetpu'" in str(refused.value)


@pytest.mark.parametrize('device', ['auto', 'usb:0'])
def test_a_compiled_model_goes_to_the_edge_tpu(
    device: str, runtime: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_library(monkeypatch, library)
    loaded = load_model(COMPILED, compiled=True, device=device)
    assert loaded.runtime.startswith(f'{runtime} ')
    assert loaded.device == ('edgetpu' if device == 'auto' else device)
    assert loaded.note == ''


@pytest.mark.parametrize(
    ('behaviour', 'part'),
    [
        ('absent', 'No Edge TPU is attached'),
        ('idle', 'did not take over the compiled part'),
        ('raise:1', 'The stand-in was told to fail'),
    ],
)
@pytest.mark.usefixtures('kernel', 'runtime')
def test_an_edge_tpu_that_fails_while_loading_gives_one_sentence(
    behaviour: str, part: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_library(monkeypatch, library)
    monkeypatch.setenv('EDGETPU_STAND_IN', behaviour)
    with pytest.raises(DeviceError) as refused:
        load_model(COMPILED, compiled=True)
    assert part in str(refused.value)
    assert '\n' not in str(refused.value)
    assert "the model's CPU twin" in str(refused.value)


def test_the_one_edge_tpu_that_is_attached_is_named(
    kernel: Path, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_library(monkeypatch, library)
    assert load_model(COMPILED, compiled=True).device == 'edgetpu'
    attach_an_edgetpu(kernel)
    assert load_model(COMPILED, compiled=True).device == 'pci:0'


def test_the_library_is_found_by_its_name_where_the_system_looks(
    library: str, tmp_path: Path
) -> None:
    (tmp_path / 'model_edgetpu.tflite').write_bytes(COMPILED)
    environment = {
        **os.environ,
        'LD_LIBRARY_PATH': f'{Path(library).parent}:{os.environ.get("LD_LIBRARY_PATH", "")}',
        'PYTHONPATH': os.pathsep.join(sys.path),
    }
    command = [sys.executable, '-c', LOAD_IN_A_PROCESS, str(tmp_path / 'model_edgetpu.tflite')]
    process = subprocess.run(
        [*command, 'usb:0'], env=environment, check=True, capture_output=True, text=True
    )
    assert process.stdout.startswith('usb:0 ')


def test_a_missing_library_gives_one_sentence() -> None:
    try:
        load_model(COMPILED, compiled=True)
    except DeviceError as error:
        message = str(error)
    else:
        pytest.skip('this machine has an Edge TPU')
    assert '\n' not in message
    assert "the model's CPU twin" in message


def test_an_unknown_device_is_rejected() -> None:
    with pytest.raises(DeviceError, match="device is 'gpu'"):
        load_model(MODEL, compiled=False, device='gpu')


@pytest.mark.parametrize('num_threads', [0, -1])
def test_fewer_than_one_thread_is_rejected(num_threads: int) -> None:
    with pytest.raises(ValueError, match=f'num_threads is {num_threads}; it must be at least 1'):
        load_model(MODEL, compiled=False, num_threads=num_threads)


@pytest.mark.usefixtures('runtime')
def test_an_operator_that_the_runtime_does_not_have_is_named() -> None:
    model = COMPILED.replace(b'edgetpu-custom-op', b'unknown-custom-op')
    with pytest.raises(ModelFileError) as refused:
        load_model(model, compiled=False)
    assert 'unknown-custom-op' in str(refused.value)
    assert '\n' not in str(refused.value)
