# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus
from edgetpu_retrain.node.frames.frame_statistics import FrameStatistics, StageTimes
from edgetpu_retrain.node.health.device_watch import DeviceFacts
from edgetpu_retrain.node.health.diagnostics import camera_problem, delivery_problem, diagnostics
from edgetpu_retrain.node.health.status import NodeFacts
from edgetpu_retrain.runtime.engines.engine import EngineStatus


def test_a_problem_raises_the_level_of_its_status() -> None:
    statistics = FrameStatistics()
    statistics.add_classified('left', StageTimes(0.0, 0.0, 0.0, 0.0, 0.0, 0.0123))
    facts = NodeFacts(
        state='active',
        device='usb:0',
        cameras=('left', 'right'),
        problems={
            delivery_problem('left'): 'It loses images.',
            camera_problem('left'): 'It is silent.',
        },
    )
    array = diagnostics(
        'robot/edgetpu_retrain',
        Time(sec=7),
        facts,
        {name: statistics.summary(name) for name in ('left', 'right')},
        [
            DeviceFacts('usb', ('left',), EngineStatus('usb:0', 'litert', '', 48.75)),
            DeviceFacts('pci', ('right',), EngineStatus('', '', 'Nothing runs.')),
        ],
    )
    assert array.header.stamp.sec == 7
    node, left, right, usb, pci = array.status
    assert [each.level for each in array.status] == [
        DiagnosticStatus.WARN,
        DiagnosticStatus.WARN,
        DiagnosticStatus.OK,
        DiagnosticStatus.OK,
        DiagnosticStatus.WARN,
    ]
    assert node.message == 'It loses images. It is silent.'
    assert left.message == 'It is silent. It loses images.'
    assert right.message == 'listening'
    assert node.hardware_id == 'usb:0'
    values = {each.key: each.value for each in (*left.values, *usb.values)}
    assert usb.name == 'robot/edgetpu_retrain: device usb'
    assert usb.hardware_id == values['device'] == 'usb:0'
    assert values['cameras'] == 'left'
    assert values['temperature (C)'] == '48.8'
    assert pci.message == 'Nothing runs.'
    assert values['total p50 (ms)'] == values['total p99 (ms)'] == '12.30'


def test_a_node_without_cameras_and_problems_is_fine() -> None:
    (node,) = diagnostics('edgetpu_retrain', Time(), NodeFacts(), {}).status
    assert node.level == DiagnosticStatus.OK
    assert node.message == 'unconfigured'
    values = {each.key: each.value for each in node.values}
    assert values['model version'] == '0'
