# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Start the retrain node on a camera.

    ros2 launch edgetpu_retrain retrain.launch.py image_topic:=/camera/image_raw

The node's parameters come from params_file, by default config/retrain.yaml.  A launch argument
overrides its parameter in that file, unless the argument is empty.

The node is restarted if its process ends, unless the argument respawn is false.  It loses no
acknowledged sample or training, and serves the same model again.
"""

from pathlib import Path
from tempfile import NamedTemporaryFile

from ament_index_python.packages import get_package_share_directory
from edgetpu_retrain.parameter_file import cameras_in
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.launch_context import LaunchContext
from launch_ros.actions import Node
from launch_ros.utilities import make_namespace_absolute, prefix_namespace
import yaml

PACKAGE = 'edgetpu_retrain'
DEFAULT_FILE = Path(get_package_share_directory(PACKAGE), 'config', 'retrain.yaml')

SWITCH = ['', 'true', 'false']

# Launch arguments that set the node's parameter of the same name; '' = as in params_file.
TEXT_ARGUMENTS = {
    'device': 'where the extractor runs: auto, cpu, usb, usb:0, pci, pci:0 or :0',
    'extractor': 'path of an embedding extractor or an image classifier, a .tflite file',
    'input_range': 'range of a float extractor: 0..255, 0..1, -1..1 or MEAN/STD',
    'data_dir': 'folder of samples and models',
}
SWITCH_ARGUMENTS = {
    'autostart': 'whether the node configures and activates itself; false = a lifecycle manager '
    'does',
    'follow_models': 'whether to load models that the command line trains or chooses',
    'use_sim_time': 'whether the clock of the node is the topic /clock',
}
# Launch arguments that set the node's parameter of the same name to an integer.
NUMBER_ARGUMENTS = {
    'max_questions': 'number of frames that the node keeps to ask about; 0 = none',
}
# Launch arguments that set the only camera's parameter of the same name.
CAMERA_ARGUMENTS = ('image_topic', 'image_transport')

# Time for an Edge TPU to reappear on its bus before the node is started again, seconds.
RESPAWN_DELAY_S = 2.0


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the node."""
    return LaunchDescription(
        [
            _argument('image_topic', 'topic of the images, such as /camera/image_raw'),
            _argument(
                'image_transport',
                'raw (sensor_msgs/Image) or compressed (sensor_msgs/CompressedImage on '
                'image_topic/compressed)',
                choices=['', 'raw', 'compressed'],
            ),
            *(
                _argument(name, words)
                for name, words in {**TEXT_ARGUMENTS, **NUMBER_ARGUMENTS}.items()
            ),
            *(_argument(name, words, choices=SWITCH) for name, words in SWITCH_ARGUMENTS.items()),
            DeclareLaunchArgument(
                'params_file',
                default_value=str(DEFAULT_FILE),
                description='parameter file; arguments override it',
            ),
            DeclareLaunchArgument(
                'namespace', default_value='', description='namespace of the node'
            ),
            DeclareLaunchArgument(
                'log_level',
                default_value='info',
                description='the least severe messages to log',
                choices=['debug', 'info', 'warn', 'error', 'fatal'],
            ),
            DeclareLaunchArgument(
                'respawn',
                default_value='true',
                description='whether to restart the node if its process ends, for example in an '
                'Edge TPU library',
                choices=['true', 'false'],
            ),
            DeclareLaunchArgument(
                'enclave',
                default_value='',
                description='enclave of the node, where SROS 2 is on (docs/security.md), such as '
                "/edgetpu_retrain/node; '' = none",
            ),
            OpaqueFunction(function=_start_node),
        ]
    )


def _argument(
    name: str, description: str, choices: list[str] | None = None
) -> DeclareLaunchArgument:
    return DeclareLaunchArgument(
        name,
        default_value='',
        description=f"{description}; '' = as in params_file",
        choices=choices,
    )


def _start_node(context: LaunchContext) -> list[Node]:
    values = context.launch_configurations
    namespace = prefix_namespace(values.get('ros_namespace'), values['namespace'])
    name = f'{make_namespace_absolute(namespace).rstrip("/")}/{PACKAGE}'
    file = Path(values['params_file'])
    # Read the file even if no argument is for a camera: if it is missing, this raises an error,
    # but launch_ros would start the node without it.
    cameras = cameras_in(file, name) or ['camera']
    given: dict[str, str | bool | int] = {
        each: values[each] for each in TEXT_ARGUMENTS if values[each]
    }
    given |= {each: _number(each, values[each]) for each in NUMBER_ARGUMENTS if values[each]}
    given |= {each: values[each] == 'true' for each in SWITCH_ARGUMENTS if values[each]}
    if of_camera := {each: values[each] for each in CAMERA_ARGUMENTS if values[each]}:
        if len(cameras) > 1:
            argument = next(iter(of_camera))
            raise RuntimeError(
                f'{argument}:= is for one camera, and {file} has {len(cameras)} '
                f'({", ".join(cameras)}): set {cameras[0]}.{argument} and so on in that file '
                'instead'
            )
        given |= {f'{cameras[0]}.{each}': value for each, value in of_camera.items()}
    enclave = ['--enclave', values['enclave']] if values['enclave'] else []
    return [
        Node(
            package=PACKAGE,
            executable='edgetpu_retrain_node',
            name=PACKAGE,
            namespace=values['namespace'],
            parameters=[str(file), *([_write_parameters(name, given)] if given else [])],
            ros_arguments=['--log-level', values['log_level'], *enclave],
            output='screen',
            respawn=values['respawn'] == 'true',
            respawn_delay=RESPAWN_DELAY_S,
        )
    ]


def _number(name: str, value: str) -> int:
    if not value.isdecimal():
        raise RuntimeError(f'{name}:={value} is no whole number: give 0 or more')
    return int(value)


def _write_parameters(node: str, values: dict[str, str | bool | int]) -> str:
    """
    Write a parameter file that overrides params_file, and return its path.

    If several keys of the parameter files match a node, the last key overrides the others.  A key
    that is in both files keeps its place in params_file, where a later key can override it.  The
    key that launch_ros would write may be in params_file, too.  So this function writes the file,
    with a key that is unlikely to be in params_file.
    """
    with NamedTemporaryFile('w', prefix='launch_params_', suffix='.yaml', delete=False) as file:
        yaml.safe_dump({f'/**{node}': {'ros__parameters': values}}, file)
    return file.name
