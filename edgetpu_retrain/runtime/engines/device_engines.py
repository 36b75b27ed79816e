# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Creates the engines that run an extractor, one per device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from edgetpu_retrain.errors import DeviceError
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.model_file.description import describe, ModelDescription
from edgetpu_retrain.runtime.engines.cpu_engine import CpuEngine
from edgetpu_retrain.runtime.engines.edgetpu_engine import EdgeTpuEngine, INVOKE_TIMEOUT_S
from edgetpu_retrain.runtime.engines.engine import check_kind, Engine, EngineStatus, PreparedModel
from edgetpu_retrain.runtime.interpreters.probe import probe


class DeviceEngines(dict[str, Engine]):
    """
    Engines by device name, at least one.

    Engines are independent, so the failure of one device does not affect the others.
    """

    @property
    def description(self) -> ModelDescription:
        """The extractor's input and output."""
        return next(iter(self.values())).description

    def prepare(self, model: bytes, *, trusted: bool = True) -> dict[str, PreparedModel]:
        """Load a retrained model on one device after another; see :meth:`Engine.prepare`."""
        return {device: engine.prepare(model, trusted=trusted) for device, engine in self.items()}

    def retry_if_due(self) -> None:
        """Retry each failed device whose retry is due."""
        for engine in self.values():
            engine.retry_if_due()

    def status(self) -> dict[str, EngineStatus]:
        """Return the status of each engine."""
        return {device: engine.status() for device, engine in self.items()}

    def healthiest(self) -> str:
        """Return the first device without a problem, else one that runs frames, else the first."""

        def trouble(device: str) -> tuple[bool, bool]:
            status = self[device].status()
            return not status.device, bool(status.problem)

        return min(self, key=trouble)

    def close(self) -> None:
        """Release all devices."""
        for engine in self.values():
            engine.close()


def make_engine(
    extractor: bytes,
    *,
    device: str = 'auto',
    num_threads: int = 1,
    fallback: bytes | None = None,
    invoke_timeout_s: float = INVOKE_TIMEOUT_S,
    may_start_down: bool = False,
    report: Callable[[str], None] = lambda _sentence: None,
) -> Engine:
    """
    Return the engine that runs an extractor.

    A compiled extractor runs on the Edge TPU.  While the Edge TPU is down, the extractor's CPU
    twin runs instead, if there is one.  Any other extractor runs on the CPU.  Each file that does
    not ship with this package is first probed in a child process, which takes about a second.

    Args:
        extractor: bytes of the .tflite file.
        device: as in :func:`~edgetpu_retrain.runtime.interpreters.interpreter.load_model`.
        num_threads: number of threads for operators on the CPU.
        fallback: bytes of the CPU twin of a compiled extractor; ignored for other extractors.
        invoke_timeout_s: seconds after which an inference on an Edge TPU counts as failed.
        may_start_down: whether to start even if there is neither an Edge TPU nor a twin; the
            engine then runs no frames until the Edge TPU is available.
        report: called from any thread, with one sentence, when the device fails or an Edge TPU
            recovers.

    Raises:
        ModelFileError: if a file is not an extractor or cannot be run, or if the twin does not
            match the extractor.
        DeviceError: if there is no runtime for a model on the CPU, if ``device`` is not a device
            name, or is 'cpu' for a compiled extractor, or if the device cannot run the extractor.
            With a twin, or if ``may_start_down`` is True, the engine starts even if the Edge TPU
            is missing or fails.
    """
    description = describe(extractor)
    if not description.compiled_for_edgetpu:
        _probe_foreign(extractor, num_threads)
        return CpuEngine(extractor, device=device, num_threads=num_threads, report=report)
    if fallback is not None:
        check_kind(describe(fallback), description, 'fallback_extractor', compiled=False)
        _probe_foreign(fallback, num_threads)
    return EdgeTpuEngine(
        extractor,
        device=device,
        num_threads=num_threads,
        twin=fallback,
        invoke_timeout_s=invoke_timeout_s,
        may_start_down=may_start_down,
        report=report,
    )


def make_engines(
    extractor: bytes,
    devices: Sequence[str],
    *,
    report: Callable[[str, str], None] = lambda _device, _sentence: None,
    **options: Any,
) -> DeviceEngines:
    """
    Return the engines that run an extractor on several devices.

    If at least one device can run the extractor, the others are retried in the background.

    Args:
        extractor: bytes of the .tflite file.
        devices: device names without duplicates, at least one; as in :func:`make_engine`.
        report: called from any thread when a device fails or recovers, with the device's name and
            one sentence.
        options: further arguments of :func:`make_engine`.

    Raises:
        ModelFileError: see :func:`make_engine`.
        DeviceError: if no device can run the extractor, or the names of several Edge TPUs are
            ambiguous.
    """
    several = len(devices) > 1
    if several and describe(extractor).compiled_for_edgetpu:
        _check_numbers(devices)
    engines = DeviceEngines()
    with ExitStack() as made:
        made.callback(engines.close)
        for device in devices:
            options['report'] = partial(report, device)
            engines[device] = make_engine(
                extractor, device=device, may_start_down=several, **options
            )
        statuses = engines.status()
        if not any(status.device for status in statuses.values()):
            raise DeviceError(
                'None of the devices runs: '
                + '; '.join(f'{device}: {status.problem}' for device, status in statuses.items())
            )
        made.pop_all()
    return engines


def _check_numbers(devices: Sequence[str]) -> None:
    # Each name must refer to a different Edge TPU, because an Edge TPU can be opened only once.
    # 'usb' means any Edge TPU on USB, and ':0' may be the same Edge TPU as 'usb:0'.
    buses = {device.partition(':')[0] for device in devices}
    if all(':' in device for device in devices) and not ('' in buses and len(buses) > 1):
        return
    raise DeviceError(
        f'the cameras have the devices {", ".join(devices)}: with several Edge TPUs name each '
        "one's number, 'usb:0' and 'usb:1', or ':0' and ':1'"
    )


def _probe_foreign(model: bytes, num_threads: int) -> None:
    # The packaged extractor is known to run, so it needs no probe.
    if model != default_extractor_path().read_bytes():
        probe(model, device='cpu', num_threads=num_threads)
