# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Retries failed devices, and reports the state of every device to status and diagnostics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
import threading

from edgetpu_retrain.node.health.status import NodeStatus
from edgetpu_retrain.runtime.engines.device_engines import DeviceEngines
from edgetpu_retrain.runtime.engines.engine import EngineStatus
from edgetpu_retrain.wording import sentence


@dataclass(frozen=True)
class DeviceFacts:
    """
    The state of a device.

    Args:
        name: name of the device, as in the parameter ``device``.
        cameras: names of the cameras whose frames the device processes.
        engine: status of the device's engine; ``engine.problem`` is a full sentence, or ``''``.
    """

    name: str
    cameras: tuple[str, ...]
    engine: EngineStatus


class DeviceWatch:
    """
    Retries failed devices, and reports the state of all devices; thread-safe.

    Args:
        engines: the engines of the devices.
        status: reports the state and the problems.
    """

    def __init__(self, engines: DeviceEngines, status: NodeStatus) -> None:
        self._engines = engines
        self._status = status
        # Locked until what was read is reported, so that a thread that has read the state before
        # a device failed cannot report it afterwards.
        self._checking = threading.Lock()

    def check(self, device_of: Mapping[str, str]) -> tuple[DeviceFacts, ...]:
        """
        Retry failed devices whose retry is due; report and return the state of all devices.

        Args:
            device_of: the device of each camera, by camera name.
        """
        self._engines.retry_if_due()
        with self._checking:
            devices = []
            for device, engine in self._engines.status().items():
                if engine.problem:
                    engine = replace(
                        engine, problem=about_device(engine.problem, device, device_of)
                    )
                devices.append(DeviceFacts(device, _cameras_of(device, device_of), engine))
            self._status.update(
                device=_joined(each.engine.device for each in devices),
                runtime=_joined(each.engine.runtime for each in devices),
                camera_devices={
                    camera: each.engine.device for each in devices for camera in each.cameras
                },
            )
            for each in devices:
                self._status.set_problem(f'device {each.name}', each.engine.problem)
        return tuple(devices)


def about_device(text: str, device: str, device_of: Mapping[str, str]) -> str:
    """
    Return a sentence about a device; it names device and cameras if there are several devices.

    Args:
        text: the sentence, without the names of the device and its cameras.
        device: name of the device.
        device_of: the device of each camera, by camera name.
    """
    if set(device_of.values()) == {device}:
        return sentence(text)
    cameras = ', '.join(_cameras_of(device, device_of))
    return f'Device {device} (of {cameras}): {sentence(text)}'


def _cameras_of(device: str, device_of: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(camera for camera, its_device in device_of.items() if its_device == device)


def _joined(names: Iterable[str]) -> str:
    return ', '.join(dict.fromkeys(filter(None, names)))
