# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Run the retrain node on a bag instead of a camera, and shut down at the end of the bag.

    ros2 launch edgetpu_retrain replay.launch.py bag:=my_bag/ image_topic:=/camera/image_raw

This package's own player publishes the images, and nothing else.  It needs no storage plugin of
rosbag2, and starts when the node has subscribed.

The node's parameters come from params_file, by default config/retrain.yaml.  A launch argument
overrides its parameter in that file, unless the argument is empty.
"""

import os

from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    OpaqueFunction,
    RegisterEventHandler,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.events.process import ProcessExited
from launch.launch_context import LaunchContext
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

# Launch arguments that set the node's parameter of the same name.
PARAMETER_ARGUMENTS = {
    'device': "device to run on: auto, cpu, usb, usb:0, pci, pci:0 or :0; '' = as in the file",
    'extractor': "path of the embedding extractor, a .tflite file; '' = as in the file",
    'data_dir': "folder of samples and models; '' = as in the file",
}

COMPRESSED = '/compressed'

# Time for the node to classify the last image.
TIME_TO_ANSWER_S = 2.0

# Best-effort subscriptions receive large images only from a publisher with this profile, see
# docs/large_images.md.  Fast DDS reads the first variable up to Jazzy, the second since Kilted.
PROFILE = PathJoinSubstitution(
    [FindPackageShare('edgetpu_retrain'), 'config', 'fastdds_large_images.xml']
)
PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, and start player and node, which end together."""
    default_file = PathJoinSubstitution(
        [FindPackageShare('edgetpu_retrain'), 'config', 'retrain.yaml']
    )
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'bag', description='bag of ros2 bag record: a folder, or an .mcap or .db3 file'
            ),
            DeclareLaunchArgument(
                'image_topic',
                description='topic of the pictures, as it was recorded; of CompressedImage where '
                f"it ends with '{COMPRESSED}'",
            ),
            DeclareLaunchArgument(
                'rate', default_value='1.0', description='speed, relative to the recording'
            ),
            DeclareLaunchArgument(
                'loop',
                default_value='false',
                description='whether to repeat the bag endlessly; false or true',
                choices=['false', 'true'],
            ),
            DeclareLaunchArgument(
                'namespace', default_value='', description='namespace of the node'
            ),
            DeclareLaunchArgument(
                'params_file', default_value=default_file, description='parameter file'
            ),
            *(
                DeclareLaunchArgument(name, default_value='', description=description)
                for name, description in PARAMETER_ARGUMENTS.items()
            ),
            OpaqueFunction(function=_start),
        ]
    )


def _start(context: LaunchContext) -> list[Node | RegisterEventHandler]:
    node, player = _node(context), _player(context)
    return [
        node,
        player,
        RegisterEventHandler(OnProcessExit(target_action=player, on_exit=_end_after_player)),
        RegisterEventHandler(
            OnProcessExit(target_action=node, on_exit=_end('the node has ended'))
        ),
    ]


def _node(context: LaunchContext) -> Node:
    values = {name: context.launch_configurations[name] for name in PARAMETER_ARGUMENTS}
    topic = context.launch_configurations['image_topic']
    if topic.endswith(COMPRESSED):
        topic = topic.removesuffix(COMPRESSED)
        values['camera.image_transport'] = 'compressed'
    # As strings: otherwise a folder named 2026 would become an integer.
    given = {
        name: ParameterValue(value, value_type=str) for name, value in values.items() if value
    }
    return Node(
        package='edgetpu_retrain',
        executable='edgetpu_retrain_node',
        name='edgetpu_retrain',
        namespace=LaunchConfiguration('namespace'),
        parameters=[LaunchConfiguration('params_file'), given],
        remappings=[('image', topic)],
        output='screen',
    )


def _player(context: LaunchContext) -> Node:
    loop = ['--loop'] if context.launch_configurations['loop'] == 'true' else []
    topic = ['--topic', LaunchConfiguration('image_topic')]
    rate = ['--rate', LaunchConfiguration('rate')]
    return Node(
        package='edgetpu_retrain',
        executable='replay',
        arguments=[LaunchConfiguration('bag'), *topic, *rate, *loop],
        additional_env={name: PROFILE for name in PROFILE_VARIABLES if name not in os.environ},
        output='screen',
    )


def _end_after_player(event: ProcessExited, _context: LaunchContext) -> TimerAction | EmitEvent:
    if event.returncode:
        return _end('the recording could not be played')
    return TimerAction(period=TIME_TO_ANSWER_S, actions=[_end('the recording has ended')])


def _end(reason: str) -> EmitEvent:
    return EmitEvent(event=Shutdown(reason=reason))
