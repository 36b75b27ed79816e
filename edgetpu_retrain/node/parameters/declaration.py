# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""From the declared parameters to ROS parameters with descriptors, and back to values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.parameters.description import Parameter, TAKES_EFFECT_AT_ONCE
from edgetpu_retrain.node.parameters.values import (
    camera_parameters,
    check_camera_names,
    collect_parameters,
    NodeParameters,
    PARAMETERS,
)
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterUninitializedException,
)
from rclpy.node import Node

_READ_WHEN_CONFIGURED = (
    'Read when the node is configured, because models, files and topics are made from it: to '
    'change it, start the node again, or clean it up first (ros2 lifecycle set NODE deactivate, '
    'then cleanup).'
)


def declare_node_parameters(node: Node) -> None:
    """
    Declare the parameters that do not depend on the names of cameras.

    Args:
        node: takes the values from its command line, launch file and parameter files.

    Raises:
        RequestError: one sentence that names the parameter, its value and what is allowed.
    """
    for parameter in PARAMETERS:
        _declare(node, parameter)


def declare_parameters(node: Node) -> NodeParameters:
    """
    Declare all parameters that are not declared yet, and return the values of all.

    It is called whenever the node is configured, because other cameras have other parameters.

    Args:
        node: takes the values from its command line, launch file and parameter files.

    Raises:
        RequestError: one sentence that names the parameter, its value and what is allowed.
    """
    declare_node_parameters(node)
    for camera in check_camera_names(_value(node, 'cameras')):
        for parameter in camera_parameters(camera):
            _declare(node, parameter)
    return read_parameters(node)


def refuse_late_changes(node: Node, is_configured: Callable[[], bool]) -> None:
    """
    Let changes be refused with a reason: impossible ones, and those that come too late.

    Args:
        node: whose parameters are watched from now on.
        is_configured: tells whether models, files and topics were made from the parameters.
    """

    def check(changes: list[Any]) -> SetParametersResult:
        cameras = [name for name in _texts(node, 'cameras') if isinstance(name, str)]
        known = {each.name: each for name in cameras for each in camera_parameters(name)}
        known |= {each.name: each for each in PARAMETERS}
        for change in changes:
            parameter = known.get(change.name)
            if parameter is None:
                continue
            if not parameter.live and is_configured():
                return SetParametersResult(
                    successful=False, reason=f'{change.name}: {_READ_WHEN_CONFIGURED}'
                )
            try:
                parameter.check(change.value)
            except RequestError as error:
                return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    node.add_on_set_parameters_callback(check)


def read_parameters(node: Node) -> NodeParameters:
    """Return the present values of parameters that were declared."""
    return collect_parameters(lambda name: _value(node, name))


def _texts(node: Node, name: str) -> list[Any]:
    if not node.has_parameter(name):
        return []
    return list(node.get_parameter_or(name).value or [])


def _value(node: Node, name: str) -> Any:
    try:
        return node.get_parameter(name).value
    except ParameterUninitializedException as error:
        # What an empty list on the command line leaves behind.
        raise RequestError(f'parameter {name} has no value: give it one') from error


def _declare(node: Node, parameter: Parameter) -> None:
    if node.has_parameter(parameter.name):
        return
    try:
        node.declare_parameter(parameter.name, parameter.default, _descriptor(parameter))
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        raise RequestError(
            f'parameter {parameter.name} must be {_in_words(parameter)}; ROS says: {error}'
        ) from error


def _descriptor(parameter: Parameter) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(
        description=parameter.description,
        additional_constraints=_constraints(parameter),
    )
    if parameter.allowed is not None:
        least, most = parameter.allowed
        if isinstance(parameter.default, float):
            allowed = FloatingPointRange(from_value=float(least), to_value=float(most))
            descriptor.floating_point_range = [allowed]
        else:
            allowed = IntegerRange(from_value=int(least), to_value=int(most))
            descriptor.integer_range = [allowed]
    return descriptor


def _constraints(parameter: Parameter) -> str:
    when = TAKES_EFFECT_AT_ONCE if parameter.live else _READ_WHEN_CONFIGURED
    return f'One of {", ".join(parameter.choices)}. {when}' if parameter.choices else when


def _in_words(parameter: Parameter) -> str:
    if isinstance(parameter.default, list) and isinstance(parameter.default[0], int):
        return 'a list of whole numbers'
    kind = {
        bool: 'true or false',
        list: 'a list of texts',
        str: 'a text',
        int: 'a whole number',
        float: 'a number with a decimal point',
    }[type(parameter.default)]
    if parameter.allowed is None:
        return kind
    return f'{kind} from {parameter.allowed[0]} to {parameter.allowed[1]}'
