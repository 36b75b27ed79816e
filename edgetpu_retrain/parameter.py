# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Parameter: describes a ROS parameter, in the metadata of a dataclass field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.wording import one_line, quoted

MAX_TEXT_LENGTH = 4096
"""Maximum length of a string parameter in characters, enough for any path (Linux's PATH_MAX)."""

TAKES_EFFECT_AT_ONCE = 'Takes effect at once.'

ParameterValue = str | int | float | bool | list[str] | list[int]


@dataclass(frozen=True)
class Parameter:
    """
    The description of one parameter.

    Args:
        default: default value, which determines the type.
        meaning: what the parameter is for, a sentence without a full stop.
        allowed: smallest and largest value; None = no range.
        unit: unit of the value; '' = none.
        choices: the only valid values; () = not limited to a list.
        live: whether the value may be changed while the node is configured; a change then takes
            effect at once.
        names_topic: whether the value must be a valid topic name, unless it is the default.
        read: converts the value; raises RequestError if it is invalid.  None = no conversion.
        see: Markdown link to further documentation, shown in docs/interface.md; '' = none.
        name: full name, such as ``data_dir`` or ``front.active``; set by :func:`parameters_of`.
    """

    default: ParameterValue
    meaning: str
    allowed: tuple[float, float] | None = None
    unit: str = ''
    choices: tuple[str, ...] = ()
    live: bool = False
    names_topic: bool = False
    read: Callable[[Any], Any] | None = None
    see: str = ''
    name: str = ''

    @property
    def description(self) -> str:
        """The meaning and the unit, as a sentence."""
        return f'{self.meaning}, in {self.unit}.' if self.unit else f'{self.meaning}.'

    def check(self, value: Any) -> Any:
        """
        Check a value, and return it as converted by ``read``.

        Args:
            value: the value; rclpy has checked its type and range.

        Raises:
            RequestError: if the value is missing, too long, not printable, none of the choices or
                rejected by ``read``.
        """
        if value is None:
            raise RequestError(f'parameter {self.name} has no value: give it one')
        if isinstance(value, str) and len(value) > MAX_TEXT_LENGTH:
            raise RequestError(
                f'parameter {self.name} is {quoted(value)}: use at most {MAX_TEXT_LENGTH} '
                'characters'
            )
        if isinstance(value, str) and value != one_line(value):
            raise RequestError(
                f'parameter {self.name} is {quoted(value)}: use printable characters only'
            )
        if self.choices and value not in self.choices:
            raise RequestError(
                f'parameter {self.name} is {quoted(value)}: set it to {" or ".join(self.choices)}'
            )
        try:
            return value if self.read is None else self.read(value)
        except RequestError as error:
            raise RequestError(f'parameter {self.name}: {error}') from error


def parameter(
    default: ParameterValue,
    meaning: str,
    allowed: tuple[float, float] | None = None,
    **details: Any,
) -> Any:
    """Return a dataclass field that declares a parameter; see :class:`Parameter`."""
    return field(metadata={'parameter': Parameter(default, meaning, allowed, **details)})


def live_parameter(*arguments: Any, **details: Any) -> Any:
    """Return a dataclass field that declares a parameter whose changes take effect immediately."""
    return parameter(*arguments, live=True, **details)


def parameters_of(values: type, prefix: str = '') -> tuple[Parameter, ...]:
    """
    Return the parameters that a dataclass declares, in the order of its fields.

    Args:
        values: the dataclass.
        prefix: text before the field's name in the name of the parameter, such as ``front.``.
    """
    return tuple(
        replace(each.metadata['parameter'], name=prefix + each.name)
        for each in fields(values)
        if 'parameter' in each.metadata
    )
