# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Declares the ROS parameters of the fleet process, and reads them once."""

from __future__ import annotations

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.fleet.robot.parameters import FleetParameters, PARAMETERS
import edgetpu_retrain.needs_ros  # noqa: F401
from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

_READ_AT_START = 'Read when the process starts: to change it, start it again.'


def read_parameters(node: Node) -> FleetParameters:
    """
    Declare the parameters, and return their values.

    Args:
        node: the node; its command line, launch file and parameter files set the values.

    Raises:
        RequestError: if a value is invalid.
    """
    values = {}
    for each in PARAMETERS:
        descriptor = ParameterDescriptor(
            description=each.description, additional_constraints=_READ_AT_START, read_only=True
        )
        if each.allowed is not None:
            least, most = each.allowed
            descriptor.floating_point_range = [FloatingPointRange(from_value=least, to_value=most)]
        try:
            value = node.declare_parameter(each.name, each.default, descriptor).value
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            raise RequestError(f'parameter {each.name}: {error}') from error
        values[each.name] = each.check(value)
    return FleetParameters(**values)
