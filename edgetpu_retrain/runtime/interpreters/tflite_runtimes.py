# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The TFLite runtime packages, and which one is used for which device.

A runtime is imported when the first model is loaded.  If it is missing, loading raises a
DeviceError with instructions; importing this package works without a runtime.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import functools
import importlib
import importlib.metadata
import importlib.util
from typing import Any

from edgetpu_retrain.errors import DeviceError
from edgetpu_retrain.runtime.interpreters.startup_notice import skip_startup_notice
import numpy as np

NO_RUNTIME = 'No TensorFlow Lite runtime is installed: pip install ai-edge-litert'


Interpreter = Any
"""A runtime's ``Interpreter``, which has the same methods in all runtimes, but no type hints."""


@dataclass(frozen=True)
class TfliteRuntime:
    """
    An installed runtime.

    Args:
        name: distribution name and version, such as ``'ai-edge-litert 2.3.0'``.
        interpreter: the runtime's ``Interpreter`` class.
        load_delegate: the runtime's ``load_delegate``, called with a library and its options.
    """

    name: str
    interpreter: Callable[..., Interpreter]
    load_delegate: Callable[[str, dict[str, str]], Any]

    def make_interpreter(
        self, model: bytes, *, num_threads: int = 1, delegates: Sequence[Any] = ()
    ) -> Interpreter:
        """
        Return an interpreter of the model, whose tensors are not allocated yet.

        Raises:
            DeviceError: if this runtime is incompatible with the installed numpy.
            ValueError: if the runtime rejects the model.
        """
        try:
            return self.interpreter(
                model_content=model,
                num_threads=num_threads,
                experimental_delegates=list(delegates),
            )
        except SystemError as error:
            # tflite-runtime 2.14, the newest release, was compiled for numpy 1.23 to 1.26.
            remedy = 'tflite-runtime<2.14' if np.__version__.startswith('1.') else 'numpy<2'
            raise DeviceError(
                f'{self.name} does not work with numpy {np.__version__}: pip install '
                f"'{remedy}', or remove tflite-runtime and pip install ai-edge-litert"
            ) from error


def cpu_runtime() -> TfliteRuntime:
    """
    Return the runtime for models that run on the CPU: ai-edge-litert, else tflite-runtime.

    ai-edge-litert is maintained and several times faster with int8 models on x86_64.

    Raises:
        DeviceError: if no runtime is installed, or the installed one cannot be imported.
    """
    return _first_installed(('ai-edge-litert', 'tflite-runtime'))


def edgetpu_runtime() -> TfliteRuntime:
    """
    Return the runtime that loads the Edge TPU's library: tflite-runtime, else ai-edge-litert.

    libedgetpu may fail with a version of TensorFlow Lite that it was not built against.  If
    tflite-runtime is installed, it was most likely chosen to match libedgetpu.

    Raises:
        DeviceError: if no runtime is installed, or the installed one cannot be imported.
    """
    return _first_installed(('tflite-runtime', 'ai-edge-litert'))


def coral_make_interpreter() -> tuple[str, Callable[..., Interpreter]] | None:
    """
    Return pycoral's name and version, and its ``make_interpreter``; None without pycoral.

    The package named pycoral on PyPI is another project.  Only Coral's package has the module
    ``pycoral.utils.edgetpu``.

    Raises:
        DeviceError: if pycoral is installed but cannot be imported.
    """
    if not _is_there('pycoral.utils.edgetpu'):
        return None
    module = _imported('pycoral.utils.edgetpu', 'pycoral')
    return f'pycoral {_version("pycoral")}', module.make_interpreter


def _first_installed(distributions: tuple[str, ...]) -> TfliteRuntime:
    for distribution in distributions:
        module_name = f'{distribution.replace("-", "_")}.interpreter'
        if _is_there(module_name):
            module = _imported(module_name, distribution)
            name = f'{distribution} {_version(distribution)}'
            _skip_startup_notice_once(module.Interpreter)
            return TfliteRuntime(name, module.Interpreter, module.load_delegate)
    raise DeviceError(NO_RUNTIME)


_skip_startup_notice_once = functools.cache(skip_startup_notice)


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        # A parent package is missing, or is not a package.
        return False


def _imported(module: str, distribution: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise DeviceError(
            f'{distribution} {_version(distribution)} is installed but cannot be imported '
            f'({error}): reinstall it or remove it'
        ) from error


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return '(unknown version)'
