# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Edge TPU: loads Coral's library and compiled models, and explains failures.

The library's own errors usually do not state the cause.  This module replaces each error with one
sentence that states the cause and what to do.
"""

from __future__ import annotations

import ctypes
import os
import re

from edgetpu_retrain.errors import DeviceError
from edgetpu_retrain.runtime.interpreters import tflite_runtimes
from edgetpu_retrain.runtime.interpreters.device import attached_edgetpus

LIBRARY = 'libedgetpu.so.1'
TAKE_THE_TWIN = (
    "or take the model's CPU twin, the file of the same name without '_edgetpu', because the CPU "
    'cannot run a compiled model'
)

_INSTALL = "add Coral's package source (docs/coral.md), sudo apt install libedgetpu1-std"
_REINSTALL = (
    "install the libedgetpu1-std of this machine's architecture and release (docs/coral.md)"
)
# What to do if the user may not open a device, by bus.  Coral's package installs the udev rule for
# USB.  The rule for PCIe is in docs/coral.md.
_PERMISSIONS = {
    'usb': (
        'sudo apt install libedgetpu1-std for its udev rule, sudo usermod -aG plugdev $USER, '
        'log in again and plug the device in again'
    ),
    'pci': (
        'add the udev rule of docs/coral.md, sudo usermod -aG apex $USER, log in again and '
        'restart the machine'
    ),
}
_PACKAGES_OF_LIBRARIES = {'libusb-1.0.so': 'libusb-1.0-0', 'libc++.so': 'libc++1'}
# A runtime's ValueError begins with this if the loaded library creates no delegate.
_NO_DELEGATE = 'Failed to load delegate'
_MISSING_LIBRARY = re.compile(r'^(\S+): cannot open shared object file')


def make_edgetpu_interpreter(
    model: bytes, device: str, num_threads: int
) -> tuple[tflite_runtimes.Interpreter, str]:
    """
    Return an interpreter that runs a compiled model on an Edge TPU, and the runtime's name.

    pycoral is used if it is installed.  Otherwise the library is loaded as a delegate into
    tflite-runtime, or into ai-edge-litert if tflite-runtime is not installed.

    Args:
        model: bytes of a model that is compiled for the Edge TPU.
        device: ``'auto'`` or a libedgetpu device name: ``'usb'``, ``'usb:N'``, ``'pci'``,
            ``'pci:N'``, ``':N'``.
        num_threads: number of threads for operators that run on the CPU; ignored with pycoral.

    Raises:
        DeviceError: if the library, the device or the runtime is missing or unusable; the message
            states what to do.
        RuntimeError, ValueError: if the library rejects the model; see
            :func:`explain_failed_model`.
    """
    # Check the library first, because the calls below report a missing library less clearly.
    _check_library()
    coral = tflite_runtimes.coral_make_interpreter()
    try:
        if coral is not None:
            name, make_interpreter = coral
            return make_interpreter(model, device=None if device == 'auto' else device), name
        runtime = tflite_runtimes.edgetpu_runtime()
        delegate = runtime.load_delegate(LIBRARY, {} if device == 'auto' else {'device': device})
    except ValueError as error:
        if not str(error).startswith(_NO_DELEGATE):
            raise
        raise _device_error(_explain_no_delegate(device, error)) from error
    interpreter = runtime.make_interpreter(model, num_threads=num_threads, delegates=[delegate])
    return interpreter, runtime.name


def _check_library() -> None:
    try:
        loaded = ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise _device_error(_explain_no_library(error)) from error
    if not hasattr(loaded, 'tflite_plugin_create_delegate'):
        raise _device_error(f"{LIBRARY} is not Coral's library: {_REINSTALL}")


def _device_error(sentence: str) -> DeviceError:
    return DeviceError(f'{sentence}, {TAKE_THE_TWIN}')


def _explain_no_library(error: OSError) -> str:
    """Explain why the dynamic loader cannot load the library or one of its dependencies."""
    missing = _MISSING_LIBRARY.match(str(error))
    if missing is None:
        return f'{LIBRARY} cannot be loaded ({error}): {_REINSTALL}'
    if missing[1] == LIBRARY:
        return f'The Edge TPU library {LIBRARY} is not installed: {_INSTALL}'
    remedy = _REINSTALL
    for prefix, package in _PACKAGES_OF_LIBRARIES.items():
        if missing[1].startswith(prefix):
            remedy = f'sudo apt install {package}'
    return f'{LIBRARY} needs {missing[1]}, which is not installed: {remedy}'


def _explain_no_delegate(device: str, error: Exception) -> str:
    """
    Explain why the library provides no Edge TPU.

    libedgetpu usually gives no reason (only "Failed to load delegate from libedgetpu.so.1"), so
    this function derives one from the devices that the kernel lists.

    Args:
        device: the requested device.
        error: the runtime's exception.
    """
    attached = attached_edgetpus(device)
    bus, _, number = device.partition(':')
    if not attached:
        where = {'usb': 'to USB', 'pci': 'to PCIe'}.get(bus, 'to this machine')
        return (
            f'No Edge TPU is attached {where}: plug it in (lsusb then shows 1a6e:089a or '
            f'18d1:9302, ls /dev/apex_* a PCIe module)'
        )
    if number and int(number) >= len(attached):
        return (
            f'device is {device!r}, but the last such Edge TPU is number {len(attached) - 1} '
            f'(they count from 0): choose a lower number'
        )
    for edgetpu in attached:
        if not edgetpu.file.exists():
            return (
                f'An Edge TPU is attached but {edgetpu.file} is not there, as in a container: '
                f'start it with --privileged -v /dev:/dev'
            )
        if not os.access(edgetpu.file, os.R_OK | os.W_OK):
            return (
                f'This user may not open the Edge TPU {edgetpu.file}: {_PERMISSIONS[edgetpu.bus]}'
            )
    # The library's own reason, if the runtime's message contains one.
    reason = ' '.join(str(error).partition('\n')[2].split())
    return (
        f'{LIBRARY} cannot open the Edge TPU that is attached{f" ({reason})" if reason else ""}: '
        'end the process that uses it or plug it in again'
    )


def explain_failed_model(error: Exception) -> DeviceError:
    """
    Return an error that explains why the Edge TPU or its library rejects a model.

    Args:
        error: raised while creating the interpreter, allocating its tensors or invoking it.
    """
    raw = ' '.join(str(error).split())
    if 'unresolved custom op' in raw:
        return _device_error(
            f'{LIBRARY} did not take over the compiled part of the model, as happens when it '
            f'was built for another TensorFlow Lite: {_REINSTALL}'
        )
    if 'requires runtime version' in raw:
        return _device_error(
            f'The model was compiled for a newer Edge TPU library than the installed one '
            f'({raw}): sudo apt install --only-upgrade libedgetpu1-std'
        )
    return _device_error(
        f'The Edge TPU did not run the model ({raw}): plug it in again and see whether '
        f'libedgetpu and the runtime fit each other (docs/coral.md)'
    )
