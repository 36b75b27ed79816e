# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Run the retrain node on a bag instead of a camera, and shut down at the end of the bag.

    ros2 launch edgetpu_retrain replay.launch.py bag:=my_bag/ image_topic:=/camera/image_raw

This package's own player publishes the images, and nothing else.  It needs no storage plugin of
rosbag2, and starts when the node has subscribed.

retrain.launch.py starts the node; all of its arguments but respawn can be given here, too.
"""

import os
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import Action, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    IncludeLaunchDescription,
    OpaqueFunction,
    RegisterEventHandler,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.events.process import ProcessExited
from launch.launch_context import LaunchContext
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import Node
from launch_ros.utilities import make_namespace_absolute, prefix_namespace

PACKAGE = 'edgetpu_retrain'
COMPRESSED = '/compressed'

# Time for the node to classify the last images before the shutdown, seconds.
TIME_TO_ANSWER_S = 2.0

# Without this profile in the publisher, best-effort subscriptions miss many large images, see
# docs/large_images.md.  Fast DDS reads the path of the profile from the first variable up to ROS 2
# Jazzy, and from the second since Kilted.
PROFILE = Path(get_package_share_directory(PACKAGE), 'config', 'fastdds_large_images.xml')
PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, and start player and node, which end together."""
    return LaunchDescription(
        [
            DeclareLaunchArgument('bag', description='a bag: a folder, or an .mcap or .db3 file'),
            DeclareLaunchArgument(
                'image_topic',
                description='recorded topic of the images; if it ends with '
                f'{COMPRESSED}, they are of type CompressedImage',
            ),
            DeclareLaunchArgument(
                'rate', default_value='1.0', description='speed, relative to the recording'
            ),
            DeclareLaunchArgument(
                'loop',
                default_value='false',
                description='whether to repeat the bag endlessly',
                choices=['true', 'false'],
            ),
            DeclareLaunchArgument(
                'player_enclave',
                default_value='',
                description='enclave of the player, where SROS 2 is on (docs/security.md), such '
                "as /edgetpu_retrain/camera; '' = none",
            ),
            OpaqueFunction(function=_start_player),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(str(Path(__file__).with_name('retrain.launch.py'))),
                launch_arguments={'respawn': 'false'}.items(),
            ),
        ]
    )


def _start_player(context: LaunchContext) -> list[Action]:
    values = context.launch_configurations
    topic = values['image_topic']
    if topic.endswith(COMPRESSED):
        values['image_topic'] = topic.removesuffix(COMPRESSED)
        values['image_transport'] = 'compressed'
    namespace = prefix_namespace(values.get('ros_namespace'), values.get('namespace', ''))
    node = f'{make_namespace_absolute(namespace).rstrip("/")}/{PACKAGE}'
    enclave = values['player_enclave']
    player = Node(
        package=PACKAGE,
        executable='replay',
        arguments=[
            *(values['bag'], '--topic', topic, '--rate', values['rate'], '--node', node),
            *(['--loop'] if values['loop'] == 'true' else []),
        ],
        ros_arguments=['--enclave', enclave] if enclave else [],
        additional_env={
            name: str(PROFILE) for name in PROFILE_VARIABLES if name not in os.environ
        },
        output='screen',
    )

    return [
        player,
        RegisterEventHandler(OnProcessExit(target_action=player, on_exit=_end_after_player)),
        RegisterEventHandler(
            OnProcessExit(target_action=_is_retrain_node, on_exit=_end('the node has ended'))
        ),
    ]


def _is_retrain_node(action: Action) -> bool:
    return isinstance(action, Node) and action.node_executable == 'edgetpu_retrain_node'


def _end_after_player(event: ProcessExited, _context: LaunchContext) -> TimerAction | EmitEvent:
    if event.returncode:
        return _end('the recording could not be played')
    return TimerAction(period=TIME_TO_ANSWER_S, actions=[_end('the recording has ended')])


def _end(reason: str) -> EmitEvent:
    return EmitEvent(event=Shutdown(reason=reason))
