# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs a launch file, if ROS's launch system is installed."""

from __future__ import annotations

import importlib.util
import shutil

import pytest

RUN_LAUNCH_FILE = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

arguments = [argument.split(':=') for argument in sys.argv[2:]]
source = PythonLaunchDescriptionSource(sys.argv[1])
included = IncludeLaunchDescription(source, launch_arguments=arguments)
service = LaunchService()
service.include_launch_description(LaunchDescription([included]))
sys.exit(service.run())
"""

needs_launch = pytest.mark.skipif(
    importlib.util.find_spec('launch') is None or importlib.util.find_spec('launch_ros') is None,
    reason='needs the packages launch and launch_ros, which come with ROS 2 from apt '
    '(ros-<distro>-launch-ros) and are not on PyPI',
)

needs_ros2_command = pytest.mark.skipif(
    importlib.util.find_spec('launch_ros') is None or shutil.which('ros2') is None,
    reason='needs launch_ros and the command ros2, which come with ROS 2 from apt',
)
