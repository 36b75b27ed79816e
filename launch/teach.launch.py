# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Start the retrain node and the teaching page, and a webcam if there is no camera yet.

    ros2 launch edgetpu_retrain teach.launch.py image_topic:=/camera/image_raw lan:=true

The page prints its address.  Without image_topic, camera and params_file, the first webcam is
published.

retrain.launch.py starts the node; all of its arguments can be given here, too.
"""

import os
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import Action, LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_context import LaunchContext
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import Node

PACKAGE = 'edgetpu_retrain'

# A relative name, so that the topic is in the namespace of the node.
WEBCAM_TOPIC = 'webcam/image_raw'
FIRST_WEBCAM = '0'
COMPRESSED = '/compressed'

# Launch arguments that are options of the page; '' = its default.
PAGE_OPTIONS = {
    'port': "TCP port of the page; '' = 8642",
    'host': "address to listen on; '' = 127.0.0.1, with lan 0.0.0.0",
    'allow_host': "a further name of this machine, such as that of a proxy; '' = none",
    'tls_certificate': "file of the certificate chain, PEM; '' = no TLS",
    'tls_key': "file of its private key, PEM; '' = no TLS",
}

# Delay before a process that has ended is started again, seconds; the webcam's node ends while no
# webcam is plugged in.
RESPAWN_DELAY_S = 2.0

# Without this profile in the publisher, best-effort subscriptions miss many large images, see
# docs/large_images.md.  Fast DDS reads the path of the profile from the first variable up to ROS 2
# Jazzy, and from the second since Kilted.
PROFILE = Path(get_package_share_directory(PACKAGE), 'config', 'fastdds_large_images.xml')
PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, and start node, page and, if chosen, webcam and gamepad."""
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'image_topic',
                default_value='',
                description=f'topic of the images; if it ends with {COMPRESSED}, they are of type '
                "CompressedImage; '' = see camera",
            ),
            DeclareLaunchArgument(
                'camera',
                default_value='',
                description='a webcam (0, /dev/video0) or video file to publish; '
                "'' = the first webcam, if neither image_topic nor params_file is given",
            ),
            _enclave_argument('camera', 'the node that publishes the webcam', 'camera'),
            DeclareLaunchArgument(
                'gamepad',
                default_value='',
                description='classes that the buttons of a gamepad teach, such as '
                "background,cup,bottle; '' = no gamepad",
            ),
            _enclave_argument('gamepad', 'the gamepad node', 'gamepad'),
            DeclareLaunchArgument(
                'lan',
                default_value='false',
                description='whether other machines may open the page, with the token that it '
                'prints',
                choices=['true', 'false'],
            ),
            *(
                DeclareLaunchArgument(name, default_value='', description=words)
                for name, words in PAGE_OPTIONS.items()
            ),
            _enclave_argument('page', 'the page', 'teacher'),
            DeclareLaunchArgument(
                'max_questions',
                default_value='50',
                description='number of frames that the node keeps to ask about; 0 = none, '
                "'' = as in params_file",
            ),
            # Start the webcam before the node, because _start_webcam() sets arguments of the node.
            OpaqueFunction(function=_start_webcam),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(str(Path(__file__).with_name('retrain.launch.py')))
            ),
            OpaqueFunction(function=_start_page),
        ]
    )


def _enclave_argument(process: str, words: str, example: str) -> DeclareLaunchArgument:
    return DeclareLaunchArgument(
        f'{process}_enclave',
        default_value='',
        description=f'enclave of {words}, where SROS 2 is on (docs/security.md), such as '
        f"/edgetpu_retrain/{example}; '' = none",
    )


def _in_enclave(enclave: str) -> list[str]:
    return ['--enclave', enclave] if enclave else []


def _start_webcam(context: LaunchContext) -> list[Action]:
    values = context.launch_configurations
    topic = values['image_topic']
    if topic.endswith(COMPRESSED):
        values['image_topic'] = topic.removesuffix(COMPRESSED)
        values['image_transport'] = 'compressed'
    source = values['camera']
    if not source and not topic and 'params_file' not in values:
        source = FIRST_WEBCAM
    if not source:
        return []
    if topic:
        raise RuntimeError(
            f'image_topic:={topic} and camera:={source} exclude each other: give the topic of a '
            'camera that is running, or the webcam to publish'
        )
    values['image_topic'] = WEBCAM_TOPIC
    return [
        Node(
            package=PACKAGE,
            executable='webcam',
            namespace=values.get('namespace', ''),
            parameters=[{'source': source, 'image_topic': WEBCAM_TOPIC}],
            ros_arguments=_in_enclave(values['camera_enclave']),
            additional_env={
                name: str(PROFILE) for name in PROFILE_VARIABLES if name not in os.environ
            },
            output='screen',
            respawn=values.get('respawn', 'true') == 'true',
            respawn_delay=RESPAWN_DELAY_S,
        )
    ]


def _start_page(context: LaunchContext) -> list[Action]:
    values = context.launch_configurations
    options = {name: values[name] for name in (*PAGE_OPTIONS, 'data_dir') if values[name]}
    arguments = [
        part for name, value in options.items() for part in (f'--{name.replace("_", "-")}', value)
    ]
    page = Node(
        package=PACKAGE,
        executable='page',
        namespace=values['namespace'],
        arguments=[*arguments, *(['--lan'] if values['lan'] == 'true' else [])],
        ros_arguments=_in_enclave(values['page_enclave']),
        output='screen',
        respawn=values['respawn'] == 'true',
        respawn_delay=RESPAWN_DELAY_S,
    )
    gamepad = Node(
        package=PACKAGE,
        executable='gamepad',
        namespace=values['namespace'],
        parameters=[{'labels': values['gamepad']}],
        ros_arguments=_in_enclave(values['gamepad_enclave']),
        output='screen',
    )
    return [page, *([gamepad] if values['gamepad'] else [])]
