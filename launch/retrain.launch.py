# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Start the retrain node on a camera.

    ros2 launch edgetpu_retrain retrain.launch.py image_topic:=/camera/image_raw

The node's parameters come from params_file, by default config/retrain.yaml.  A launch argument
overrides its parameter in that file, unless the argument is empty.

The node is restarted if its process ends.  It loses no acknowledged sample or training, and serves
the same model again.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
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


# Time for an Edge TPU to reappear on its bus.
RESPAWN_DELAY_S = 2.0


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the node."""
    default_file = PathJoinSubstitution(
        [FindPackageShare('edgetpu_retrain'), 'config', 'retrain.yaml']
    )
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'image_topic',
                default_value='image',
                description='topic of the images; what the topic image is remapped to',
            ),
            DeclareLaunchArgument(
                'namespace', default_value='', description='namespace of the node'
            ),
            DeclareLaunchArgument(
                'params_file', default_value=default_file, description='parameter file'
            ),
            DeclareLaunchArgument(
                'respawn',
                default_value='true',
                description='whether the node is started again when its process ends, as an Edge '
                'TPU library can make it end; false or true',
            ),
            DeclareLaunchArgument(
                'enclave',
                default_value='',
                description='enclave of the node, where SROS 2 is on (docs/security.md), such as '
                "/edgetpu_retrain/node; '' = none",
            ),
            *(
                DeclareLaunchArgument(name, default_value='', description=description)
                for name, description in PARAMETER_ARGUMENTS.items()
            ),
            OpaqueFunction(function=_start_node),
        ]
    )


def _start_node(context: LaunchContext) -> list[Node]:
    values = {name: context.launch_configurations[name] for name in PARAMETER_ARGUMENTS}
    # As strings: otherwise a folder named 2026 would become an integer.
    given = {
        name: ParameterValue(value, value_type=str) for name, value in values.items() if value
    }
    in_enclave = ['--enclave', LaunchConfiguration('enclave')]
    return [
        Node(
            package='edgetpu_retrain',
            executable='edgetpu_retrain_node',
            name='edgetpu_retrain',
            namespace=LaunchConfiguration('namespace'),
            parameters=[LaunchConfiguration('params_file'), given],
            remappings=[('image', LaunchConfiguration('image_topic'))],
            ros_arguments=in_enclave if context.launch_configurations['enclave'] else [],
            output='screen',
            respawn=LaunchConfiguration('respawn'),
            respawn_delay=RESPAWN_DELAY_S,
        )
    ]
