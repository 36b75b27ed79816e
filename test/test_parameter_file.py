# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files read in a parameter file, against what rclpy reads in it."""

from __future__ import annotations

from pathlib import Path

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.parameter_file import cameras_in
import pytest

NODES = (
    '/edgetpu_retrain',
    '/robot1/edgetpu_retrain',
    '/fleet/robot1/edgetpu_retrain',
    '/robot1/front',
)

KEYS = (
    *('/**', '**', '/*', '*', 'edgetpu_retrain', '/edgetpu_retrain', '/robot1/edgetpu_retrain'),
    *('robot1/edgetpu_retrain', '/*/edgetpu_retrain', '/**/edgetpu_retrain', '/robot1/*'),
    *('/robot1/**', '/**/robot1/edgetpu_retrain', '/*/*', '/robot2/edgetpu_retrain'),
)


def section(key: str, camera: str) -> str:
    return f"'{key}':\n  ros__parameters:\n    cameras: [{camera}]\n"


FILES = (
    *(section(key, 'one') for key in KEYS),
    *(section('/**', 'one') + section(key, 'two') for key in KEYS[1:]),
    *(section(key, 'one') + section('/**', 'two') for key in KEYS[1:]),
    'robot1:\n  edgetpu_retrain:\n    ros__parameters:\n      cameras: [one, two]\n',
    '/**:\n  ros__parameters:\n    device: cpu\n',
)


def as_rclpy_reads_it(file: Path, node: str) -> list[str]:
    import rclpy

    namespace, _, name = node.rpartition('/')
    context = rclpy.Context()
    rclpy.init(args=['--ros-args', '--params-file', str(file)], context=context)
    try:
        created = rclpy.create_node(
            name,
            namespace=namespace,
            context=context,
            enable_rosout=False,
            start_parameter_services=False,
        )
        cameras = created.declare_parameter('cameras', ['']).value
        created.destroy_node()
    finally:
        rclpy.shutdown(context=context)
    return [] if cameras == [''] else list(cameras)


@pytest.mark.parametrize('node', NODES)
def test_it_is_read_as_rclpy_reads_it(node: str, tmp_path: Path) -> None:
    pytest.importorskip('rclpy')
    file = tmp_path / 'robot.yaml'
    for content in FILES:
        file.write_text(content)
        assert cameras_in(file, node) == as_rclpy_reads_it(file, node), content


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / 'robot.yaml'
    with pytest.raises(RequestError, match=f'params_file {file} cannot be read: .*No such file'):
        cameras_in(file, NODES[0])
    for content in (b'a: [', b'\xff\xfe'):
        file.write_bytes(content)
        with pytest.raises(RequestError, match=f'params_file {file} cannot be read: '):
            cameras_in(file, NODES[0])


@pytest.mark.parametrize('content', ['', '3', '[1, 2]', 'a: 3', '/**: {ros__parameters: 3}'])
def test_a_file_without_parameters_has_no_cameras(content: str, tmp_path: Path) -> None:
    file = tmp_path / 'robot.yaml'
    file.write_text(content)
    assert cameras_in(file, NODES[0]) == []
