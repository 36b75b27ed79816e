# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Declares the ROS parameters with descriptors, checks their changes and reads their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.parameters import values
from edgetpu_retrain.node.parameters.description import Parameter, TAKES_EFFECT_AT_ONCE
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
    'Read when the node is configured, because models, files and topics depend on it: to change '
    'it, restart the node, or clean it up first (ros2 lifecycle set NODE deactivate, then '
    'cleanup).'
)


def declare_node_parameters(node: Node) -> None:
    """
    Declare the parameters that do not belong to a camera.

    Args:
        node: the node that gets the parameters.

    Raises:
        RequestError: if a parameter file or the command line sets one to a wrong type, or out of
            range.
    """
    for parameter in values.PARAMETERS:
        _declare(node, parameter)


def declare_parameters(node: Node) -> values.NodeParameters:
    """
    Declare the parameters of new cameras, and return the values of all parameters.

    Call it each time the node is configured, because ``cameras`` may have changed.

    Args:
        node: a node for which :func:`declare_node_parameters` was called.

    Raises:
        RequestError: if the value of a parameter is invalid.
    """
    for camera in values.check_camera_names(_value(node, 'cameras')):
        for parameter in values.camera_parameters(camera):
            _declare(node, parameter)
    return read_parameters(node)


def check_parameter_changes(node: Node, is_configured: Callable[[], bool]) -> None:
    """
    From now on, reject invalid changes, and changes that cannot take effect while configured.

    Args:
        node: the node whose parameters are checked.
        is_configured: returns whether the node is configured.
    """

    def check(changes: list[Any]) -> SetParametersResult:
        for change in changes:
            camera, _, _ = change.name.partition('.')
            declared = (*values.PARAMETERS, *values.camera_parameters(camera))
            parameter = next((each for each in declared if each.name == change.name), None)
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


def read_parameters(node: Node) -> values.NodeParameters:
    """Return the current values of the declared parameters."""
    return values.collect_parameters(lambda name: _value(node, name))


def _value(node: Node, name: str) -> Any:
    try:
        return node.get_parameter(name).value
    except ParameterUninitializedException as error:
        # The command line sets it to an empty list.
        raise RequestError(f'parameter {name} has no value: give it one') from error


def _declare(node: Node, parameter: Parameter) -> None:
    if node.has_parameter(parameter.name):
        return
    try:
        node.declare_parameter(parameter.name, parameter.default, _descriptor(parameter))
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        raise RequestError(
            f'parameter {parameter.name} must be {_expected(parameter)}; ROS says: {error}'
        ) from error


def _descriptor(parameter: Parameter) -> ParameterDescriptor:
    constraints = TAKES_EFFECT_AT_ONCE if parameter.live else _READ_WHEN_CONFIGURED
    if parameter.choices:
        constraints = f'One of {", ".join(parameter.choices)}. {constraints}'
    descriptor = ParameterDescriptor(
        description=parameter.description, additional_constraints=constraints
    )
    if parameter.allowed is not None:
        least, most = parameter.allowed
        if isinstance(parameter.default, float):
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=float(least), to_value=float(most))
            ]
        else:
            descriptor.integer_range = [IntegerRange(from_value=int(least), to_value=int(most))]
    return descriptor


def _expected(parameter: Parameter) -> str:
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
