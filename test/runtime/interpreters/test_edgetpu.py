# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys
from typing import Any

from edgetpu_retrain.errors import DeviceError
from edgetpu_retrain.runtime.interpreters import edgetpu
from edgetpu_retrain.runtime.interpreters.edgetpu import (
    explain_failed_model,
    make_edgetpu_interpreter,
)
import numpy as np
import pytest
from support.edgetpu_stand_in import stand_in_embedding
from support.small_models import build_extractor

MODEL = build_extractor('uint8', dimension=8, compiled=True)
PYCORAL = """
from ai_edge_litert.interpreter import Interpreter, load_delegate
calls = []
def make_interpreter(model_path_or_content, device=None):
    calls.append(device)
    delegate = load_delegate({library!r}, {{'device': device}} if device else {{}})
    return Interpreter(model_content=model_path_or_content, experimental_delegates=[delegate])
"""


def load(library: str, device: str) -> tuple[Any, str]:
    """Load the model with this library as Coral's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edgetpu, 'LIBRARY', library)
        return make_edgetpu_interpreter(MODEL, device, 1)


def refusal(library: str, device: str = 'auto') -> str:
    """Return the error message of loading the model."""
    with pytest.raises(DeviceError) as refused:
        load(library, device)
    message = str(refused.value)
    assert '\n' not in message
    assert '. ' not in message
    assert "the model's CPU twin" in message
    return message


def compile_library(path: Path, *options: str) -> None:
    source = path.with_suffix('.c')
    source.write_text('int nothing_of_use(void) { return 0; }\n')
    command = [os.environ.get('CC', 'cc'), '-shared', '-fPIC', str(source), '-o', str(path)]
    subprocess.run([*command, *options], check=True)


def attach_usb(kernel: Path) -> Path:
    """Show a USB Accelerator whose device file is missing so far; return that file."""
    folder = kernel / 'sys' / '1-1'
    folder.mkdir()
    facts = {'idVendor': '18d1', 'idProduct': '9302', 'busnum': '2', 'devnum': '7'}
    for name, fact in facts.items():
        (folder / name).write_text(f'{fact}\n')
    return kernel / 'dev' / 'bus' / 'usb' / '002' / '007'


def attach_pcie(kernel: Path, count: int) -> list[Path]:
    files = [kernel / 'dev' / f'apex_{number}' for number in range(count)]
    for file in files:
        file.touch()
    return files


@pytest.mark.parametrize(
    ('device', 'options'),
    [('auto', ''), ('usb', 'device=usb\n'), ('pci:0', 'device=pci:0\n'), (':1', 'device=:1\n')],
)
def test_the_library_takes_over_the_compiled_part(
    device: str,
    options: str,
    runtime: str,
    library: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('EDGETPU_STAND_IN_LOG', str(tmp_path / 'log'))
    (tmp_path / 'log').touch()
    interpreter, name = load(library, device)
    assert name.startswith(f'{runtime} ')
    assert (tmp_path / 'log').read_text() == options
    (image,), (embedding,) = interpreter.get_input_details(), interpreter.get_output_details()
    pixels = np.random.default_rng(0).integers(0, 256, image['shape'], np.uint8)
    interpreter.allocate_tensors()
    interpreter.set_tensor(image['index'], pixels)
    interpreter.invoke()
    computed = interpreter.get_tensor(embedding['index']).reshape(-1)
    np.testing.assert_array_equal(computed, stand_in_embedding(pixels, 8))


@pytest.mark.parametrize(('device', 'asked_for'), [('auto', None), ('usb:0', 'usb:0')])
def test_pycoral_comes_first_where_it_is_installed(
    device: str,
    asked_for: str | None,
    library: str,
    site: Path,
) -> None:
    folder = site / 'pycoral' / 'utils'
    folder.mkdir(parents=True)
    (folder / 'edgetpu.py').write_text(PYCORAL.format(library=library))
    interpreter, name = load(library, device)
    interpreter.allocate_tensors()
    assert name.startswith('pycoral ')
    assert sys.modules['pycoral.utils.edgetpu'].calls == [asked_for]


def test_a_missing_library_names_the_package_to_install() -> None:
    message = refusal('libedgetpu_that_is_not_there.so.1')
    assert 'libedgetpu_that_is_not_there.so.1 is not installed' in message
    assert 'sudo apt install libedgetpu1-std' in message


def test_a_missing_libusb_is_named_with_its_package(tmp_path: Path) -> None:
    needed, library = tmp_path / 'libusb-1.0.so.77', tmp_path / 'libedgetpu.so.1'
    compile_library(needed, '-Wl,-soname,libusb-1.0.so.77')
    compile_library(library, '-Wl,--no-as-needed', str(needed))
    needed.unlink()
    message = refusal(str(library))
    assert 'needs libusb-1.0.so.77, which is not installed' in message
    assert 'sudo apt install libusb-1.0-0' in message


def test_any_other_missing_library_is_named(tmp_path: Path) -> None:
    needed, library = tmp_path / 'libabsl_base.so.1', tmp_path / 'libedgetpu.so.1'
    compile_library(needed, '-Wl,-soname,libabsl_base.so.1')
    compile_library(library, '-Wl,--no-as-needed', str(needed))
    needed.unlink()
    message = refusal(str(library))
    assert 'needs libabsl_base.so.1, which is not installed' in message
    assert 'docs/coral.md' in message


def test_a_damaged_library_asks_to_reinstall_it(tmp_path: Path) -> None:
    (tmp_path / 'libedgetpu.so.1').write_bytes(b'\x7fELF of another machine' * 100)
    message = refusal(str(tmp_path / 'libedgetpu.so.1'))
    assert 'cannot be loaded' in message
    assert 'libedgetpu1-std' in message


def test_a_library_of_another_kind_is_not_corals(tmp_path: Path) -> None:
    compile_library(tmp_path / 'libedgetpu.so.1')
    assert "is not Coral's library" in refusal(str(tmp_path / 'libedgetpu.so.1'))


@pytest.mark.parametrize(
    ('device', 'where'), [('auto', 'this machine'), ('usb', 'USB'), ('pci:0', 'PCIe')]
)
@pytest.mark.usefixtures('runtime', 'kernel')
def test_without_an_edge_tpu_the_error_says_to_plug_one_in(
    device: str,
    where: str,
    library: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('EDGETPU_STAND_IN', 'absent')
    message = refusal(library, device)
    assert f'No Edge TPU is attached to {where}' in message
    assert 'plug it in' in message


def test_a_number_past_the_attached_ones_is_rejected(
    library: str, kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('EDGETPU_STAND_IN', 'absent')
    attach_pcie(kernel, 2)
    message = refusal(library, 'pci:2')
    assert "device is 'pci:2'" in message
    assert 'the last such Edge TPU is number 1' in message


def forbid(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a file one that this user may not open; for root no mode of a file is a hindrance."""
    monkeypatch.setattr(os, 'access', lambda path, _mode: path != file)


def test_a_usb_edge_tpu_that_this_user_may_not_open_needs_corals_udev_rule(
    library: str, kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('EDGETPU_STAND_IN', 'absent')
    file = attach_usb(kernel)
    file.parent.mkdir(parents=True)
    file.touch()
    forbid(file, monkeypatch)
    message = refusal(library, 'usb:0')
    assert f'may not open the Edge TPU {file}' in message
    assert 'libedgetpu1-std for its udev rule' in message
    assert 'usermod -aG plugdev' in message


def test_a_pcie_edge_tpu_that_this_user_may_not_open_needs_the_other_udev_rule(
    library: str, kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('EDGETPU_STAND_IN', 'absent')
    (file,) = attach_pcie(kernel, 1)
    forbid(file, monkeypatch)
    message = refusal(library)
    assert f'may not open the Edge TPU {file}' in message
    assert 'udev rule of docs/coral.md' in message
    assert 'usermod -aG apex' in message


def test_an_edge_tpu_whose_device_file_is_missing_is_a_containers(
    library: str, kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('EDGETPU_STAND_IN', 'absent')
    file = attach_usb(kernel)
    message = refusal(library)
    assert f'{file} is not there' in message
    assert '--privileged' in message


def test_an_attached_edge_tpu_that_does_not_open_may_be_in_use(
    library: str, kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('EDGETPU_STAND_IN', 'absent')
    attach_pcie(kernel, 1)
    assert 'end the process that uses it' in refusal(library)


UNRESOLVED = 'Encountered unresolved custom op: edgetpu-custom-op.\nSee instructions: https://...'
TOO_NEW = (
    'Failed precondition: Package requires runtime version (14), which is newer than this '
    'runtime version (13).Node number 0 (edgetpu-custom-op) failed to prepare.'
)
UNSUPPORTED = (
    'Internal: Unsupported data type in custom op handler: 0Node number 1 '
    '(EdgeTpuDelegateForCustomOp) failed to prepare.'
)


@pytest.mark.parametrize(
    ('raw', 'part'),
    [
        (UNRESOLVED, 'did not take over the compiled part'),
        (TOO_NEW, 'sudo apt install --only-upgrade libedgetpu1-std'),
        (UNSUPPORTED, 'Unsupported data type in custom op handler'),
    ],
)
def test_a_model_that_the_library_refuses_is_explained(raw: str, part: str) -> None:
    message = str(explain_failed_model(RuntimeError(raw)))
    assert part in message
    assert '\n' not in message
