# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Declares the ROS parameters with descriptors, checks their changes and reads their values."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.parameters import values
from edgetpu_retrain.node.parameters.camera_names import check_camera_names
from edgetpu_retrain.node.requests.callback_errors import explain
from edgetpu_retrain.node.requests.responses import RequestLog
from edgetpu_retrain.parameter import Parameter, TAKES_EFFECT_AT_ONCE
from edgetpu_retrain.wording import named, presentable, quoted, sentence
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    NameValidationException,
    ParameterNotDeclaredException,
    ParameterUninitializedException,
)
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

_READ_WHEN_CONFIGURED = (
    'Read when the node is configured, because models, files and topics depend on it: to change '
    'it, restart the node, or clean it up first (ros2 lifecycle set NODE deactivate, then '
    'cleanup).'
)


class DeclaredParameters:
    """
    The parameters of a node.

    If the initial value of a parameter has the wrong type or is out of range, the parameter has no
    value, and the node cannot be configured until a valid value is set.

    Args:
        node: the node; initial values come from its command line and parameter files.
        is_configured: returns whether the node is configured.  While it is, only parameters with
            ``live=True`` can be changed.
    """

    def __init__(self, node: Node, is_configured: Callable[[], bool]) -> None:
        self._node = node
        self._is_configured = is_configured
        self._invalid: dict[str, str] = {}
        for each in values.PARAMETERS:
            self._declare(each)
        node.add_on_set_parameters_callback(self._check)
        _ignore_equal_values(node)
        _log_rejections(node)

    @property
    def autostart(self) -> bool:
        """Whether the node configures and activates itself; True if the value is invalid."""
        try:
            return bool(self._value('autostart'))
        except RequestError:
            # configure() reports the reason.
            return True

    def configure(self) -> values.NodeParameters:
        """
        Declare the parameters of new cameras, and return the values of all parameters.

        Call this method whenever the node is configured, because ``cameras`` may have changed.

        Raises:
            RequestError: if the value of a parameter is invalid or missing.
        """
        for camera in check_camera_names(self._value('cameras')):
            for each in values.camera_parameters(camera):
                self._declare(each)
        return self.read()

    def read(self) -> values.NodeParameters:
        """Return the current values of all parameters; raise errors as :meth:`configure` does."""
        return values.collect_parameters(self._value)

    def _value(self, name: str) -> Any:
        try:
            return self._node.get_parameter(name).value
        except ParameterUninitializedException as error:
            # The initial value is invalid, or is an empty list on the command line.
            raise RequestError(
                self._invalid.get(name, f'parameter {name} has no value: give it one')
            ) from error

    def _declare(self, parameter: Parameter) -> None:
        name, descriptor = parameter.name, _descriptor(parameter)
        if self._node.has_parameter(name):
            return
        try:
            self._node.declare_parameter(name, parameter.default, descriptor)
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            self._invalid[name] = (
                f'parameter {name} must be {_expected(parameter)}; ROS says: {error}'
            )
            kind = RosParameter.Type.from_parameter_value(parameter.default)
            self._node.declare_parameter(name, kind, descriptor, ignore_override=True)

    def _check(self, changes: list[Any]) -> SetParametersResult:
        try:
            for change in changes:
                self._check_change(change)
        except Exception as error:  # noqa: BLE001 - the response reports it
            return SetParametersResult(successful=False, reason=explain(self._node, error))
        return SetParametersResult(successful=True)

    def _check_change(self, change: RosParameter) -> None:
        camera, _, _ = change.name.partition('.')
        declared = (*values.PARAMETERS, *values.camera_parameters(camera))
        parameter = next((each for each in declared if each.name == change.name), None)
        # NOT_SET means that a parameter is declared without a value.
        if parameter is not None and change.type_ != RosParameter.Type.NOT_SET:
            if not parameter.live and self._is_configured():
                raise RequestError(f'{change.name}: {_READ_WHEN_CONFIGURED}')
            parameter.check(change.value)
            if parameter.names_topic and change.value != parameter.default:
                self._check_topic(parameter.name, change.value)

    def _check_topic(self, name: str, topic: str) -> None:
        try:
            self._node.resolve_topic_name(topic)
        except (RuntimeError, NameValidationException) as error:
            # Cut off the file and line in the source code of rcl.
            reason, _, _ = str(error).partition(', at ')
            raise RequestError(
                f'parameter {name} is {quoted(topic)}: set it to the name of a topic ({reason})'
            ) from error


def _ignore_equal_values(node: Node) -> None:
    """
    Accept requests that leave a parameter unchanged, even if the parameter cannot be changed.

    Otherwise, the node would reject a file that ``ros2 param dump`` has written, because the file
    contains read-only parameters, some of them rclpy's own.  Parameter callbacks cannot do this:
    on-set callbacks run after the check for read-only parameters, and pre-set callbacks must not
    return an empty list.
    """
    set_atomically = node.set_parameters_atomically

    def set_changes(parameters: list[RosParameter]) -> SetParametersResult:
        changes = [each for each in parameters if not has_value(node, each)]
        return set_atomically(changes) if changes else SetParametersResult(successful=True)

    # In all supported distributions, the parameter services call this method.
    vars(node)['set_parameters_atomically'] = set_changes


def _log_rejections(node: Node) -> None:
    """
    Log the requests that are rejected, including those that rclpy rejects by itself.

    Parameter callbacks cannot do this: rclpy does not call them for an undeclared parameter, a
    wrong type or a value that is out of range.
    """
    set_atomically = node.set_parameters_atomically
    rejections = RequestLog('refused')

    def log(parameters: list[RosParameter], reason: object) -> None:
        names = named([quoted(each.name) for each in parameters])
        words = presentable(f'{names} not set: {sentence(reason)}')
        line = rejections.line(words, time.monotonic())
        if line is not None:
            node.get_logger().warning(f'request refused: {line}')

    def set_and_log(parameters: list[RosParameter]) -> SetParametersResult:
        try:
            result = set_atomically(parameters)
        except ParameterNotDeclaredException as error:
            log(parameters, error)
            raise
        if not result.successful:
            log(parameters, result.reason)
        return result

    vars(node)['set_parameters_atomically'] = set_and_log


def has_value(node: Node, parameter: RosParameter) -> bool:
    """Return whether a node has a parameter with this name, type and value."""
    if not node.has_parameter(parameter.name):
        return False
    try:
        current = node.get_parameter(parameter.name)
    except ParameterUninitializedException:
        return False
    return bool(current.get_parameter_value() == parameter.get_parameter_value())


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
