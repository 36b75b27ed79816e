# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Loads a model on the requested device, ready to be invoked."""

from __future__ import annotations

from dataclasses import dataclass

from edgetpu_retrain.errors import DeviceError, ModelFileError
from edgetpu_retrain.runtime.interpreters.device import (
    attached_edgetpus,
    check_device,
    find_edgetpu,
)
from edgetpu_retrain.runtime.interpreters.edgetpu import (
    explain_failed_model,
    make_edgetpu_interpreter,
    TAKE_THE_TWIN,
)
from edgetpu_retrain.runtime.interpreters.tflite_runtimes import cpu_runtime, Interpreter
import numpy as np

HOW_TO_COMPILE = (
    "compile it with 'edgetpu_compiler MODEL.tflite' or take Coral's compiled extractor "
    '(docs/coral.md)'
)


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """
    A model in an interpreter, allocated and invoked once.

    Use it from one thread at a time.

    Args:
        interpreter: the runtime's interpreter.
        runtime: the runtime's name and version, such as ``'ai-edge-litert 2.3.0'``.
        device: ``'cpu'``, or the Edge TPU's name, such as ``'usb:0'``.  If it is unknown which
            Edge TPU runs the model, this is the requested name, or ``'edgetpu'`` for ``'auto'``.
        note: one sentence for the user, or ``''``.
    """

    interpreter: Interpreter
    runtime: str
    device: str
    note: str = ''


def load_model(
    model: bytes, *, compiled: bool, device: str = 'auto', num_threads: int = 1
) -> LoadedModel:
    """
    Load a model on a device, and invoke it once.

    A model that is compiled for the Edge TPU runs on the Edge TPU.  Any other model runs on the
    CPU, regardless of the device.  The result's ``note`` says so if an Edge TPU was requested, or
    if one is attached and ``device`` is 'auto'.  If the runtime does not use XNNPACK, its library
    of fast CPU operators, the note reports this, too.

    Args:
        model: bytes of a .tflite file that :func:`~edgetpu_retrain.model_file.flatbuffer.parse`
            accepts (damaged files may crash the runtime), or that this package has packed.
        compiled: whether the model is compiled for the Edge TPU.
        device: ``'auto'``, ``'cpu'``, ``'usb'``, ``'usb:N'``, ``'pci'``, ``'pci:N'`` or ``':N'``.
        num_threads: number of threads for operators on the CPU, at least 1.

    Returns:
        The model, allocated and invoked once on zeros.

    Raises:
        DeviceError: if the device's name is invalid, if there is no runtime, or if a compiled
            model cannot run on the device.
        ModelFileError: if the runtime cannot run the file on the CPU.
        ValueError: if ``num_threads`` is less than 1.
    """
    check_device_of_model(device, compiled=compiled)
    if num_threads < 1:
        raise ValueError(f'num_threads is {num_threads}; it must be at least 1')
    load = _load_on_edgetpu if compiled else _load_on_cpu
    return load(model, device, num_threads)


def check_device_of_model(device: str, *, compiled: bool) -> None:
    """
    Raise a DeviceError if a device can never run a model, whatever is attached or installed.

    Args:
        device: the requested device.
        compiled: whether the model is compiled for the Edge TPU.

    Raises:
        DeviceError: if ``device`` is not a device name, or is ``'cpu'`` for a compiled model.
    """
    check_device(device)
    if compiled and device == 'cpu':
        raise DeviceError(
            "device is 'cpu', but this model is compiled for the Edge TPU: set device to "
            f"'auto', {TAKE_THE_TWIN}"
        )


def _load_on_cpu(model: bytes, device: str, num_threads: int) -> LoadedModel:
    runtime = cpu_runtime()
    interpreter = None
    try:
        interpreter = runtime.make_interpreter(model, num_threads=num_threads)
        _warm_up(interpreter)
    except DeviceError:
        raise
    except (ValueError, RuntimeError) as error:
        raw = ' '.join(str(error).split())
        raise ModelFileError(
            f'{runtime.name} cannot run this model{_why(raw, interpreter)} ({raw})'
        ) from error
    notes = (_note_about_cpu(device), _note_about_xnnpack(interpreter, runtime.name))
    return LoadedModel(interpreter, runtime.name, 'cpu', '; '.join(filter(None, notes)))


def _why(raw: str, interpreter: Interpreter | None) -> str:
    """Return why the CPU cannot run a model, and what to do, as the end of a sentence."""
    if 'custom op' in raw or 'Select TensorFlow op' in raw or interpreter is None:
        return ', which has operators that it lacks: convert it with built-in operators only'
    (shape,) = [entry['shape'].tolist() for entry in interpreter.get_input_details()[:1]] or [[]]
    size = f' on pictures of {shape[2]}x{shape[1]} pixels' if len(shape) == 4 else ''
    return f'{size}: give another input_size if it takes any, or convert it again'


def _load_on_edgetpu(model: bytes, device: str, num_threads: int) -> LoadedModel:
    try:
        interpreter, runtime = make_edgetpu_interpreter(model, device, num_threads)
        _warm_up(interpreter)
    except DeviceError:
        raise
    except (ValueError, RuntimeError) as error:
        raise explain_failed_model(error) from error
    edgetpu = find_edgetpu(device)
    name = 'edgetpu' if device == 'auto' else device
    return LoadedModel(interpreter, runtime, edgetpu.name if edgetpu else name)


def _warm_up(interpreter: Interpreter) -> None:
    """
    Allocate the tensors and invoke once, so that the first frame is not slower.

    The first invocation uploads the program to an Edge TPU.
    """
    interpreter.allocate_tensors()
    for entry in interpreter.get_input_details():
        interpreter.set_tensor(entry['index'], np.zeros(entry['shape'], entry['dtype']))
    interpreter.invoke()


def _note_about_cpu(device: str) -> str:
    if device == 'cpu' or (device == 'auto' and not attached_edgetpus()):
        return ''
    problem = (
        'An Edge TPU is attached, but the model is not compiled for it'
        if device == 'auto'
        else f'device is {device!r}, but the model is not compiled for the Edge TPU'
    )
    return f'{problem} and runs on the CPU: {HOW_TO_COMPILE}'


def _note_about_xnnpack(interpreter: Interpreter, runtime: str) -> str:
    """
    Return a note if an allocated model does not use XNNPACK, else ``''``.

    If XNNPACK does not support the processor, a runtime silently falls back to its reference
    operators.
    """
    # There is no public API to list operators.  A delegate appears as one of them.
    list_operators = getattr(interpreter, '_get_ops_details', None)
    if list_operators is None or any(
        operator['op_name'] == 'DELEGATE' for operator in list_operators()
    ):
        return ''
    return (
        f'{runtime} runs this model without XNNPACK, which is slower and gives slightly other '
        'embeddings than a machine that has it: the newest ai-edge-litert may support this '
        'processor'
    )
