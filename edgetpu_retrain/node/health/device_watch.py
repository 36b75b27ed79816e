# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""DeviceWatch: how the devices are, for the node's status and diagnostics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from edgetpu_retrain.node.health.status import NodeStatus
from edgetpu_retrain.runtime.engines.device_engines import DeviceEngines
from edgetpu_retrain.runtime.engines.engine import EngineStatus
from edgetpu_retrain.wording import sentence


@dataclass(frozen=True)
class DeviceFacts:
    """
    What people can know of one device.

    Args:
        name: as in the parameter ``device``.
        cameras: whose frames it runs.
        engine: how it is; its problem is a whole sentence, or ``''``.
    """

    name: str
    cameras: tuple[str, ...]
    engine: EngineStatus


class DeviceWatch:
    """
    Looks after the devices; may be called from any thread.

    Args:
        engines: of the devices.
        status: is told how they are.
        device_of: camera name to device.
    """

    def __init__(
        self, engines: DeviceEngines, status: NodeStatus, device_of: Mapping[str, str]
    ) -> None:
        self._engines = engines
        self._status = status
        self._device_of = device_of

    def check(self) -> tuple[DeviceFacts, ...]:
        """Tell how the devices are; one that failed is tried again when it is time to."""
        self._engines.retry_if_due()
        found = tuple(self._facts(*each) for each in self._engines.status().items())
        engines = [each.engine for each in found]
        self._status.update(
            device=', '.join(dict.fromkeys(each.device for each in engines if each.device)),
            runtime=', '.join(dict.fromkeys(each.runtime for each in engines if each.runtime)),
            camera_devices={
                camera: each.engine.device for each in found for camera in each.cameras
            },
        )
        for each in found:
            self._status.problem(f'device {each.name}', each.engine.problem)
        return found

    def _facts(self, device: str, engine: EngineStatus) -> DeviceFacts:
        cameras = tuple(name for name, its in self._device_of.items() if its == device)
        problem = engine.problem and about_device(engine.problem, device, self._device_of)
        return DeviceFacts(device, cameras, replace(engine, problem=problem))


def about_device(text: str, device: str, device_of: Mapping[str, str]) -> str:
    """
    Return a sentence about a device, with its name where there are others.

    Args:
        text: the sentence.
        device: which one it is about.
        device_of: camera name to device.
    """
    if set(device_of.values()) == {device}:
        return sentence(text)
    cameras = ', '.join(name for name, its_device in device_of.items() if its_device == device)
    return f'Device {device} (of {cameras}): {sentence(text)}'
