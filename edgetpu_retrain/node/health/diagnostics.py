# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Creates the ``diagnostic_msgs/DiagnosticArray`` for ``/diagnostics``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from edgetpu_retrain.node.frames.frame_statistics import CameraStatistics
from edgetpu_retrain.node.health.device_watch import DeviceFacts
from edgetpu_retrain.node.health.status import NodeFacts


def diagnostics(
    name: str,
    stamp: Any,
    facts: NodeFacts,
    cameras: Mapping[str, CameraStatistics],
    devices: Sequence[DeviceFacts] = (),
) -> DiagnosticArray:
    """
    Return the diagnostics: a status for the node, one for each camera and one for each device.

    Args:
        name: name of the node with its namespace; the prefix of each status's name, as in
            diagnostic_updater (https://github.com/ros/diagnostics).
        stamp: the current time, a ``builtin_interfaces/Time``.
        facts: the state of the node.
        cameras: statistics of each camera, by camera name.
        devices: the state of each device.
    """
    statuses = [_node_status(name, facts)]
    statuses += [_camera_status(name, camera, facts, each) for camera, each in cameras.items()]
    statuses += [_device_status(name, device) for device in devices]
    array = DiagnosticArray(status=statuses)
    array.header.stamp = stamp
    return array


def _node_status(name: str, facts: NodeFacts) -> DiagnosticStatus:
    values = {
        'state': facts.state,
        'device': facts.device,
        'runtime': facts.runtime,
        'extractor': facts.extractor,
        'samples': sum(facts.counts.values()),
        'classes': len(facts.counts),
        'questions': facts.questions,
        'checking samples': facts.checking_samples,
        'model version': facts.model_version,
        'model': facts.model_path,
        'training': facts.training,
        'last training': facts.last_training,
    }
    problem = ' '.join(facts.problems.values())
    return _status(f'{name}: node', facts.device, problem, facts.state, values)


def _camera_status(
    name: str, camera: str, facts: NodeFacts, statistics: CameraStatistics
) -> DiagnosticStatus:
    values: dict[str, object] = {f'frames {what}': n for what, n in statistics.counts.items()}
    values['lost on the way (%)'] = f'{100 * statistics.loss:.1f}'
    values |= statistics.detections
    for stage, (median, slow) in statistics.latencies.items():
        values[f'{stage} p50 (ms)'] = f'{1000 * median:.2f}'
        values[f'{stage} p99 (ms)'] = f'{1000 * slow:.2f}'
    problem = all_problems(facts, camera)
    message = 'listening' if camera in facts.cameras else 'not listening'
    return _status(f'{name}: camera {camera}', camera, problem, message, values)


def _device_status(name: str, device: DeviceFacts) -> DiagnosticStatus:
    engine = device.engine
    temperature = engine.temperature_celsius
    values = {
        'device': engine.device,
        'runtime': engine.runtime,
        'cameras': ', '.join(device.cameras),
        'temperature (C)': '' if temperature is None else f'{temperature:.1f}',
    }
    full_name = f'{name}: device {device.name}'
    return _status(full_name, engine.device, engine.problem, 'working', values)


def camera_problem(camera: str) -> str:
    """Return the key in :attr:`NodeFacts.problems` for a camera that cannot be opened or used."""
    return f'camera {camera}'


def delivery_problem(camera: str) -> str:
    """Return the key in :attr:`NodeFacts.problems` for a camera whose images do not arrive."""
    return f'delivery {camera}'


def all_problems(facts: NodeFacts, camera: str, latest: str = '') -> str:
    """
    Return the problems of a camera as sentences; ``''`` = none.

    Args:
        facts: the state of the node.
        camera: name of the camera.
        latest: a newer problem, which replaces the camera's problem in ``facts``, because
            ``facts`` is updated only once a second; '' = no newer problem.
    """
    problem = latest or facts.problems.get(camera_problem(camera), '')
    return ' '.join(filter(None, [problem, facts.problems.get(delivery_problem(camera), '')]))


def _status(
    name: str, hardware_id: str, problem: str, message: str, values: Mapping[str, object]
) -> DiagnosticStatus:
    """Return a status: WARN with the problem if there is one, otherwise OK with the message."""
    return DiagnosticStatus(
        name=name,
        hardware_id=hardware_id,
        level=DiagnosticStatus.WARN if problem else DiagnosticStatus.OK,
        message=problem or message,
        values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
    )
