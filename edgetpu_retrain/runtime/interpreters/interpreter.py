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
"""Interpreters: load a model on the device that was asked for, ready to be invoked."""

from __future__ import annotations

from dataclasses import dataclass

from edgetpu_retrain.errors import DeviceError, ModelFileError
from edgetpu_retrain.model_file.description import is_compiled
from edgetpu_retrain.model_file.flatbuffer import parse
from edgetpu_retrain.runtime.engines.edgetpu import (
    explain_failed_model,
    make_edgetpu_interpreter,
    TAKE_THE_TWIN,
)
from edgetpu_retrain.runtime.interpreters.device import (
    attached_edgetpus,
    check_device,
    find_edgetpu,
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

    An interpreter belongs to one thread at a time.

    Args:
        interpreter: of the runtime.
        runtime: the runtime's name and version, as in ``'ai-edge-litert 2.3.0'``.
        device: ``'cpu'``, or the Edge TPU by name, as in ``'usb:0'``; ``'edgetpu'`` is any of
            several.
        note: one sentence worth telling the user, or ``''``.
    """

    interpreter: Interpreter
    runtime: str
    device: str
    note: str = ''


def make_interpreter(model: bytes, *, device: str = 'auto', num_threads: int = 1) -> LoadedModel:
    """
    Load a model.

    A model that is compiled for the Edge TPU goes there; any other runs on the CPU, whatever
    the device, and the note says so where a TPU was asked for or is attached.  It also tells of a
    runtime that computes without XNNPACK, its fast operators for the CPU.

    Args:
        model: bytes of a .tflite file.
        device: ``'auto'``, ``'cpu'``, ``'usb'``, ``'usb:N'``, ``'pci'``, ``'pci:N'`` or ``':N'``.
        num_threads: threads of the CPU's operators, at least 1.

    Returns:
        The model, allocated and warm: it has been invoked once on zeros.

    Raises:
        DeviceError: when the device is unknown, or there is no runtime or no Edge TPU for it.
        ModelFileError: when the runtime cannot run the file.
        ValueError: when ``num_threads`` is less than 1.
    """
    # Parsing also keeps damaged files away from the runtimes, which some of them would crash.
    compiled = is_compiled(parse(model))
    return load_parsed(model, compiled=compiled, device=device, num_threads=num_threads)


def load_parsed(
    model: bytes, *, compiled: bool, device: str = 'auto', num_threads: int = 1
) -> LoadedModel:
    """
    Load a model as :func:`make_interpreter` does, but one that has been parsed before.

    Parsing takes longer than loading: 45 ms for the default extractor.

    Args:
        model: bytes of a .tflite file that :func:`~edgetpu_retrain.model_file.flatbuffer.parse`
            takes, or that this package has packed.
        compiled: whether it is compiled for the Edge TPU.
        device: as in :func:`make_interpreter`.
        num_threads: likewise.

    Raises:
        DeviceError: as :func:`make_interpreter` does.
        ModelFileError: likewise.
        ValueError: likewise.
    """
    check_device(device)
    if num_threads < 1:
        raise ValueError(f'num_threads is {num_threads}; it must be at least 1')
    if not compiled:
        return _load_on_cpu(model, device, num_threads)
    if device == 'cpu':
        raise DeviceError(
            "device is 'cpu', but this model is compiled for the Edge TPU: set device to "
            f"'auto', {TAKE_THE_TWIN}"
        )
    return _load_on_edgetpu(model, device, num_threads)


def _load_on_cpu(model: bytes, device: str, num_threads: int) -> LoadedModel:
    runtime = cpu_runtime()
    try:
        interpreter = runtime.make_interpreter(model, num_threads=num_threads)
        _warm_up(interpreter)
    except DeviceError:
        raise
    except (ValueError, RuntimeError) as error:
        raw = ' '.join(str(error).split())
        raise ModelFileError(f'{runtime.name} cannot run this model: {raw}') from error
    notes = (_note_about_cpu(device), _note_about_xnnpack(interpreter, runtime.name))
    return LoadedModel(interpreter, runtime.name, 'cpu', '; '.join(filter(None, notes)))


def _load_on_edgetpu(model: bytes, device: str, num_threads: int) -> LoadedModel:
    try:
        interpreter, runtime = make_edgetpu_interpreter(model, device, num_threads)
        _warm_up(interpreter)
    except DeviceError:
        raise
    except (ValueError, RuntimeError) as error:
        raise DeviceError(explain_failed_model(error)) from error
    return LoadedModel(interpreter, runtime, _name_of(device))


def _name_of(device: str) -> str:
    edgetpu = find_edgetpu(device)
    if edgetpu is not None:
        return edgetpu.name
    return 'edgetpu' if device == 'auto' else device


def _warm_up(interpreter: Interpreter) -> None:
    """
    Allocate and invoke once, so that no frame pays for it.

    The first invocation is where an Edge TPU receives its program.
    """
    interpreter.allocate_tensors()
    for entry in interpreter.get_input_details():
        interpreter.set_tensor(entry['index'], np.zeros(entry['shape'], entry['dtype']))
    interpreter.invoke()


def _note_about_cpu(device: str) -> str:
    if device == 'cpu':
        return ''
    if device != 'auto':
        return (
            f'device is {device!r}, but the model is not compiled for the Edge TPU and runs on '
            f'the CPU: {HOW_TO_COMPILE}'
        )
    if attached_edgetpus():
        return (
            'An Edge TPU is attached, but the model is not compiled for it and runs on the CPU: '
            f'{HOW_TO_COMPILE}'
        )
    return ''


def _note_about_xnnpack(interpreter: Interpreter, runtime: str) -> str:
    """
    Tell of an allocated model that XNNPACK has not taken over.

    A runtime whose XNNPACK does not know the processor falls back on its reference operators and
    says nothing that a program could catch.
    """
    # There is no public way to ask.  What takes operators over is an operator itself.
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
