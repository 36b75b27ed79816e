# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""DeviceEngines: one engine per device, all with the same extractor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from edgetpu_retrain.errors import DeviceError
from edgetpu_retrain.model_file.description import describe, ModelDescription
from edgetpu_retrain.runtime.engines.engine import Engine, EngineStatus, PreparedModel
from edgetpu_retrain.runtime.engines.engine_choice import make_engine


class DeviceEngines(dict[str, Engine]):
    """
    The engines by device name, as given by the user; at least one.

    Engines are independent, so the failure of one device does not affect the others.
    """

    @property
    def description(self) -> ModelDescription:
        """The extractor's input and output."""
        return next(iter(self.values())).description

    def prepare(self, model: bytes, *, trusted: bool = True) -> dict[str, PreparedModel]:
        """Load a retrained model on every device, one by one; see ``Engine.prepare``."""
        return {device: engine.prepare(model, trusted=trusted) for device, engine in self.items()}

    def retry_if_due(self) -> None:
        """Retry each failed device whose retry is due."""
        for engine in self.values():
            engine.retry_if_due()

    def status(self) -> dict[str, EngineStatus]:
        """Return the status of each engine."""
        return {device: engine.status() for device, engine in self.items()}

    def healthiest(self) -> str:
        """Return a device for work that any can do: the first without a problem, if any."""

        def trouble(device: str) -> tuple[bool, bool]:
            status = self[device].status()
            return not status.device, bool(status.problem)

        return min(self, key=trouble)

    def close(self) -> None:
        """Release all devices."""
        for engine in self.values():
            engine.close()


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
        devices: device names without repeats, at least one; as in :func:`make_engine`.
        report: called from any thread with a device and its failure or recovery, one sentence.
        options: further arguments of :func:`make_engine`.

    Raises:
        ModelFileError: see :func:`make_engine`.
        DeviceError: if no device can run the extractor, or the names of several Edge TPUs are
            ambiguous.
    """
    several = len(devices) > 1
    if several and describe(extractor).compiled_for_edgetpu:
        _check_numbers(devices)
    with ExitStack() as made:
        engines = {}
        for device in devices:
            engines[device] = make_engine(
                extractor,
                device=device,
                may_start_down=several,
                report=partial(report, device),
                **options,
            )
            made.callback(engines[device].close)
        together = DeviceEngines(engines)
        statuses = together.status()
        if not any(status.device for status in statuses.values()):
            raise DeviceError(
                'None of the devices runs: '
                + '; '.join(f'{device}: {status.problem}' for device, status in statuses.items())
            )
        made.pop_all()
    return together


def _check_numbers(devices: Sequence[str]) -> None:
    # 'usb' means any, ':0' may be the same as 'usb:0', and an Edge TPU can be opened only once.
    buses = {device.partition(':')[0] for device in devices}
    if all(':' in device for device in devices) and not ('' in buses and len(buses) > 1):
        return
    raise DeviceError(
        f'the cameras have the devices {", ".join(devices)}: with several Edge TPUs name each '
        "one's number, 'usb:0' and 'usb:1', or ':0' and ':1'"
    )
