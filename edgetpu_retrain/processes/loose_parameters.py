# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Parameters of small nodes, declared without a type: ROS parses a class named 1 as an integer.

ROS gives an empty list on the command line no type, so its value is None.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from edgetpu_retrain.errors import RequestError
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.exceptions import InvalidTopicNameException
from rclpy.node import Node
from rclpy.validate_topic_name import validate_topic_name


def declare(node: Node, name: str, default: object, description: str) -> Any:
    """Declare a read-only parameter, and return its value."""
    descriptor = ParameterDescriptor(read_only=True, dynamic_typing=True, description=description)
    return node.declare_parameter(name, default, descriptor).value


def as_list(value: Any) -> list[Any]:
    """Return the value of a parameter as a list; a single value is a list of one."""
    if value is None:
        return []
    return list(value) if _is_list(value) else [value]


def declare_text(node: Node, name: str, default: str, description: str) -> str:
    """Declare a parameter, and return its value as text; raise RequestError if it is a list."""
    value = declare(node, name, default, description)
    if value is None or _is_list(value):
        shown = '[]' if value is None else list(value)
        raise RequestError(f'{name} is {shown}: give one value, not a list')
    return str(value)


def declare_topic(node: Node, name: str, default: str, description: str) -> str:
    """Declare a parameter, and return its value; raise RequestError if it names no topic."""
    value = declare_text(node, name, default, description)
    try:
        validate_topic_name(value)
    except InvalidTopicNameException as error:
        # The message has the name and a mark below the wrong character in lines of their own.
        reason = str(error).splitlines()[0].rstrip(':')
        raise RequestError(f'{name} is {value!a}: give the name of a topic ({reason})') from error
    return value


def declare_number(
    node: Node, name: str, default: float, allowed: tuple[float, float], description: str
) -> float:
    """Declare a parameter, and return its value; raise RequestError if it is out of its range."""
    value = declare(node, name, default, description)
    lowest, highest = allowed
    # In Python, a bool is an int, too.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and lowest <= value <= highest:
        return float(value)
    shown = '[]' if value is None else value
    raise RequestError(f'{name} is {shown}: give a number from {lowest:g} to {highest:g}')


def _is_list(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str)
