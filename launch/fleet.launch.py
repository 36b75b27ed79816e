# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Start the fleet process of a robot, beside retrain.launch.py on the same machine.

    ros2 launch edgetpu_retrain retrain.launch.py follow_models:=true
    ros2 launch edgetpu_retrain fleet.launch.py fleet:=nats://base:4222 credentials:=robot1.json

The credentials are the file that 'edgetpu_retrain fleet add' writes on the base station
(docs/fleet.md).  If neither fleet nor params_file is given, nothing is started.

The process works with the retrain node of the same namespace.  If the process ends, it is
restarted and continues where it stopped, unless the argument respawn is false.
"""

from launch import Action, LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction
from launch.launch_context import LaunchContext
from launch_ros.actions import Node

PACKAGE = 'edgetpu_retrain'

# Launch arguments that set the parameter of the same name; '' = as in params_file, or its default.
TEXT_ARGUMENTS = {
    'fleet': "address of the hub, such as nats://base:4222; '' = start nothing",
    'credentials': "path of this robot's credentials",
    'learn_from': "evidence (train with the fleet's samples) or releases (take released heads)",
    'retrain_node': "name of the retrain node; '' = edgetpu_retrain",
}
SWITCH_ARGUMENTS = {
    'share_pictures': 'whether thumbnails of new samples are shared with the fleet',
}
NUMBER_ARGUMENTS = {
    'max_origin_share': "largest share of a class's samples from one other robot, 0.01 to 1.0",
}

# Delay before a process that has ended is started again, seconds.
RESPAWN_DELAY_S = 5.0


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the process."""
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value='', description=words)
                for name, words in {**TEXT_ARGUMENTS, **NUMBER_ARGUMENTS}.items()
            ),
            *(
                DeclareLaunchArgument(
                    name, default_value='', description=words, choices=['', 'true', 'false']
                )
                for name, words in SWITCH_ARGUMENTS.items()
            ),
            DeclareLaunchArgument(
                'params_file',
                default_value='',
                description="parameter file; arguments override it; '' = none",
            ),
            DeclareLaunchArgument(
                'namespace', default_value='', description='namespace of the retrain node'
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
                description='whether to restart the process if it ends',
                choices=['true', 'false'],
            ),
            DeclareLaunchArgument(
                'enclave',
                default_value='',
                description='enclave of the process, where SROS 2 is on (docs/security.md), such '
                "as /edgetpu_retrain/fleet; '' = none",
            ),
            OpaqueFunction(function=_start),
        ]
    )


def _start(context: LaunchContext) -> list[Action]:
    values = context.launch_configurations
    given: dict[str, str | bool | float] = {
        each: values[each] for each in TEXT_ARGUMENTS if values[each]
    }
    given |= {each: values[each] == 'true' for each in SWITCH_ARGUMENTS if values[each]}
    given |= {each: _number(each, values[each]) for each in NUMBER_ARGUMENTS if values[each]}
    file = [values['params_file']] if values['params_file'] else []
    if not file and 'fleet' not in given:
        return [LogInfo(msg='fleet:= is not given, so this robot is in no fleet')]
    enclave = ['--enclave', values['enclave']] if values['enclave'] else []
    return [
        Node(
            package=PACKAGE,
            executable='fleet',
            namespace=values['namespace'],
            parameters=[*file, *([given] if given else [])],
            ros_arguments=['--log-level', values['log_level'], *enclave],
            output='screen',
            respawn=values['respawn'] == 'true',
            respawn_delay=RESPAWN_DELAY_S,
        )
    ]


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise RuntimeError(f'{name}:={value} is no number: give one such as 0.5') from None
