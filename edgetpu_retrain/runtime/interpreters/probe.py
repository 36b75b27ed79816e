# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Probe: runs a model in a child process before this process loads it.

A crafted file can crash a runtime, and a libedgetpu that was built for another TensorFlow Lite
aborts the process that loads it.  So a child process with limited time and memory loads and
invokes the model first.  If the child process fails, the parent process raises an error that
states the cause in one sentence.
"""

from __future__ import annotations

import contextlib
import ctypes
from dataclasses import asdict, dataclass
import json
import math
import os
from pathlib import Path
import resource
import signal
import subprocess
import sys
from typing import Any

from edgetpu_retrain.errors import DeviceError, ModelFileError, RetrainError
from edgetpu_retrain.model_file.description import is_compiled
from edgetpu_retrain.model_file.flatbuffer import parse
from edgetpu_retrain.runtime.interpreters.device import check_device
from edgetpu_retrain.runtime.interpreters.edgetpu import TAKE_THE_TWIN
from edgetpu_retrain.runtime.interpreters.interpreter import load_model, LoadedModel
from edgetpu_retrain.runtime.interpreters.tflite_runtimes import cpu_runtime, edgetpu_runtime
import numpy as np

_PAGE = os.sysconf('SC_PAGE_SIZE')
# From linux/prctl.h: sets the signal that this process receives when its parent ends.
_PR_SET_PDEATHSIG = 1

_TOO_LARGE = (
    'This model needs more memory than it may use, or than is free: give another one, or end '
    'other programs, then try again'
)


@dataclass(frozen=True)
class ProbeLimits:
    """
    Resource limits of the child process.

    Args:
        wall_s: timeout in seconds.  If a USB Accelerator was just plugged in, loading its firmware
            takes several seconds.
        cpu_s: CPU time in seconds.
        memory: bytes of address space for running the model.  Eight times the model's size is
            added to this limit, because a runtime copies and repacks the weights.
    """

    wall_s: float = 30.0
    cpu_s: int = 20
    memory: int = 2**30


def probe(
    model: bytes, *, device: str = 'auto', num_threads: int = 1, limits: ProbeLimits | None = None
) -> None:
    """
    Load, allocate and invoke a model in a child process.

    Args:
        model: bytes of the .tflite file, exactly as it will be loaded.
        device: as in :func:`~edgetpu_retrain.runtime.interpreters.interpreter.load_model`.
        num_threads: number of threads for operators on the CPU.
        limits: limits of the child process; None uses the defaults.

    Raises:
        ModelFileError: if the file is damaged, or the child fails to run the file on the CPU.
        DeviceError: if ``device`` is not a device name, or if the child fails to run the file on
            the Edge TPU, finds no runtime, cannot be started, is killed or does not end in time.
    """
    check_device(device)
    limits = limits or ProbeLimits()
    compiled = is_compiled(parse(model))
    options = {'device': device, 'num_threads': num_threads, 'compiled': compiled}
    command = [sys.executable, '-m', __name__, json.dumps([options, asdict(limits)])]
    # The child process imports from the same paths as this process, except from the current folder
    # (the entry '').
    path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path if entry)
    try:
        child = subprocess.run(  # noqa: S603 - this Python and this module; no shell
            command,
            input=model,
            capture_output=True,
            timeout=limits.wall_s,
            env={**os.environ, 'PYTHONPATH': path},
            cwd='/',
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _overload(compiled, f'did not end within {limits.wall_s:g} s', hangs=True) from None
    except OSError as error:
        raise DeviceError(
            f'The model could not be tried in a process of its own ({error}): free memory and '
            'processes, then try again'
        ) from error
    _judge(child, compiled)


def _judge(child: subprocess.CompletedProcess[bytes], compiled: bool) -> None:
    """Raise the error that a failed child process reported, or one that states how it ended."""
    if child.returncode < 0:
        ended_by = signal.Signals(-child.returncode)
        what_happened = f'was ended by {ended_by.name}{_last_words(child)}'
        # The kernel kills processes if memory is short.  SIGALRM is the child's own time limit.
        if ended_by in (signal.SIGKILL, signal.SIGALRM):
            raise _overload(compiled, what_happened, hangs=ended_by == signal.SIGALRM)
        raise _failure(compiled, what_happened)
    try:
        error, message = json.loads(child.stdout)
    except (ValueError, TypeError):
        raise _failure(
            compiled, f'ended with code {child.returncode}{_last_words(child)}'
        ) from None
    if error:
        raise (DeviceError if error == DeviceError.__name__ else ModelFileError)(message)


def _failure(compiled: bool, what_happened: str) -> RetrainError:
    if compiled:
        return DeviceError(
            f'The process that tried the Edge TPU {what_happened}, as happens when libedgetpu '
            'was built for another TensorFlow Lite or the device hangs: install the pair of '
            f'docs/coral.md, plug the device in again, {TAKE_THE_TWIN}'
        )
    return ModelFileError(
        f'The process that tried this model {what_happened}: the file is damaged or asks for '
        'more than it should, so give another one'
    )


def _overload(compiled: bool, what_happened: str, *, hangs: bool) -> RetrainError:
    """Return the error for a child that was killed or too slow; the file itself may be fine."""
    tried = 'the Edge TPU' if compiled else 'this model'
    device, cure = '', 'then try again'
    if compiled and hangs:
        device, cure = 'the device hangs, ', f'plug the device in again, {TAKE_THE_TWIN}'
    return DeviceError(
        f'The process that tried {tried} {what_happened}, as happens when {device}there is too '
        f'little memory or other programs keep the processor busy: end other programs, {cure}'
    )


def _last_words(child: subprocess.CompletedProcess[bytes]) -> str:
    lines = (' '.join(line.split()) for line in child.stderr.decode(errors='replace').split('\n'))
    words = [line for line in lines if line and not line.startswith('INFO:')]
    return f' ({words[-1][:200]})' if words else ''


# The code below runs in the child process.


def main() -> None:
    """Run the model from standard input, and write the error, if any, as JSON to stdout."""
    options, limits = json.loads(sys.argv[1])
    limits = ProbeLimits(**limits)
    _end_in_time(limits.wall_s)
    # Libraries may print to standard output: redirect it, and keep a duplicate for the result.
    output = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)
    with output:
        json.dump(_try(options, limits), output)


def _end_in_time(wall_s: float) -> None:
    """Make sure that this process ends and releases the device, even if a call hangs."""
    # The alarm ends this process soon after the parent's timeout, even if the parent has ended.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(math.ceil(wall_s) + 1)
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _try(options: dict[str, Any], limits: ProbeLimits) -> tuple[str, str]:
    compiled = options['compiled']
    try:
        model = sys.stdin.buffer.read()
        # Core dumps of rejected files could fill the robot's disk.
        _lower(resource.RLIMIT_CORE, 0)
        _lower(resource.RLIMIT_CPU, limits.cpu_s)
        # Import the runtime first, so that its memory does not count towards the limit.  If it is
        # missing, load_model raises an error.
        with contextlib.suppress(DeviceError):
            edgetpu_runtime() if compiled else cpu_runtime()
        in_use = int(Path('/proc/self/statm').read_text().split()[0]) * _PAGE
        _lower(resource.RLIMIT_AS, in_use + limits.memory + 8 * len(model))
        _invoke_on_noise(load_model(model, **options))
    except RetrainError as error:
        return type(error).__name__, str(error)
    except MemoryError:
        return (DeviceError if compiled else ModelFileError).__name__, _TOO_LARGE
    except RuntimeError as error:
        failure = _failure(compiled, f'failed ({" ".join(str(error).split())})')
        return type(failure).__name__, str(failure)
    return '', ''


def _lower(limit: int, value: int) -> None:
    _, highest = resource.getrlimit(limit)
    if highest != resource.RLIM_INFINITY:
        value = min(value, highest)
    resource.setrlimit(limit, (value, highest))


def _invoke_on_noise(loaded: LoadedModel) -> None:
    """Invoke a model on noise, which may cause out-of-range accesses that zeros do not."""
    rng = np.random.default_rng(0)
    for entry in loaded.interpreter.get_input_details():
        noise = np.frombuffer(rng.bytes(int(np.prod(entry['shape']))), np.uint8)
        picture = noise.astype(entry['dtype']).reshape(entry['shape'])
        loaded.interpreter.set_tensor(entry['index'], picture)
    loaded.interpreter.invoke()


if __name__ == '__main__':
    main()
