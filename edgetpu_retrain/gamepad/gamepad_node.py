# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The node ``gamepad``: teaches a retrain node with the buttons of a gamepad.

The node subscribes to ``joy`` and publishes ``joy/set_feedback``, which are the topics of joy_node
(package joy).
"""

from __future__ import annotations

from contextlib import ExitStack
import time
from typing import Any

from edgetpu_retrain.client import RetrainClient
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.gamepad.buttons import button_map, Buttons
from edgetpu_retrain.gamepad.feedback import Feedback
from edgetpu_retrain.gamepad.teacher import Teacher
from edgetpu_retrain.processes.joining import joining_domain
from edgetpu_retrain.processes.loose_parameters import (
    as_list,
    declare,
    declare_number,
    declare_text,
)
from edgetpu_retrain.processes.node_program import run_node
import rclpy
from rclpy.node import Node
from sensor_msgs.msg import Joy, JoyFeedback

NODE_NAME = 'gamepad'

# Timeout of undo requests and training goals, seconds; short, because the user waits meanwhile.
_PATIENCE_S = 10.0
_QUEUE = 10
# Interval of the checks whether a pulse has ended and whether messages still arrive, seconds.
_CHECK_S = 0.05
# Range of the parameter silence_s, seconds.
_SILENCE_S = (0.1, 60.0)


def build(node: Node, stack: ExitStack) -> None:
    """
    Declare the parameters, connect to the retrain node, and subscribe to the gamepad.

    The default buttons are those of an Xbox gamepad as joy_node numbers them: A, B, X and Y for
    classes, start to train, back to undo.

    Args:
        node: the node.
        stack: closes the client and ends the threads when the caller closes the stack.

    Raises:
        RequestError: if a parameter is invalid.
    """
    labels = declare(node, 'labels', '', 'classes to teach: a list, or one text with commas')
    buttons_of_labels = declare(node, 'label_buttons', [0, 1, 2, 3], 'button of each class')
    meanings = button_map(
        _texts(labels),
        [_whole(each, 'label_buttons') for each in as_list(buttons_of_labels)],
        _whole(declare(node, 'train_button', 7, 'button that trains; -1 = none'), 'train_button'),
        _whole(declare(node, 'undo_button', 6, 'button that undoes; -1 = none'), 'undo_button'),
    )
    silence_s = declare_number(
        node, 'silence_s', 1.0, _SILENCE_S, 'time without messages that ends a capture, seconds'
    )
    buttons = Buttons(meanings, silence_s)
    name = declare_text(node, 'retrain_node', 'edgetpu_retrain', 'name of the retrain node')
    camera = declare_text(node, 'camera', '', 'name of the camera; all if empty')
    robot = stack.enter_context(RetrainClient(node, name, _PATIENCE_S))
    publisher = node.create_publisher(JoyFeedback, 'joy/set_feedback', _QUEUE)
    feedback = Feedback(publisher.publish, time.monotonic)
    teacher = Teacher(robot, camera, feedback, node.get_logger())
    stack.callback(teacher.close)

    def receive(joy: Any) -> None:
        for action in buttons.update(joy.buttons, time.monotonic()):
            teacher.do(action)

    def check() -> None:
        feedback.check()
        for action in buttons.check(time.monotonic()):
            node.get_logger().warning(
                f'no message on joy for {silence_s:g} s: the capture ends (does joy_node have '
                'autorepeat_rate 0, or is the gamepad out of reach?)'
            )
            teacher.do(action)

    subscription = node.create_subscription(Joy, 'joy', receive, _QUEUE)
    node.create_timer(_CHECK_S, check)
    shown = ', '.join(f'{button}: {label}' for button, label in meanings.labels.items())
    others = ((meanings.train, 'trains'), (meanings.undo, 'undoes'))
    does = ', '.join(f'{button} {verb}' for button, verb in others if button != -1)
    node.get_logger().info(
        f'hold a button of {subscription.topic_name} to teach {robot.name} ({shown})'
        + (f'; {does}' if does else '')
    )


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [each.strip() for each in value.split(',') if each.strip()]
    return [str(each) for each in as_list(value)]


def _whole(value: Any, name: str) -> int:
    if type(value) is not int:
        shown = '[]' if value is None else repr(value)
        raise RequestError(f'{name} has {shown}: give numbers of buttons, such as 0')
    return value


def run(arguments: list[str] | None = None) -> int:
    """
    Run the node until a signal.

    Args:
        arguments: the command line with ROS arguments; None = that of this process.

    Returns:
        The exit code: 0 after a signal, 1 if the middleware rejects the node, 2 for an invalid
        argument or parameter.
    """
    return run_node(arguments, _spin)


def _spin(stack: ExitStack) -> None:
    with joining_domain():
        node = rclpy.create_node(NODE_NAME)
    build(node, stack)
    rclpy.spin(node)
