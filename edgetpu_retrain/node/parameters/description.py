# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Parameter: the declaration of a parameter, as metadata of a dataclass field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.wording import quoted

MAX_TEXT_LENGTH = 4096
"""Characters of a string, as in the longest path (PATH_MAX)."""

TAKES_EFFECT_AT_ONCE = 'Takes effect at once.'

ParameterValue = str | int | float | bool | list[str] | list[int]


@dataclass(frozen=True)
class Parameter:
    """
    One parameter.

    Args:
        default: its default value, which determines its type.
        meaning: what it is for, a sentence without a full stop.
        allowed: smallest and largest value; None if there is no range.
        unit: of its value; '' if it has none.
        choices: all possible values; () if there are others.
        live: whether a change takes effect while the node is configured.
        read: converts the value; raises RequestError if it is invalid.  None = no conversion.
        see: Markdown link from docs/interface.md to more about it; '' if there is none.
        name: as in a parameter file: the name of the field, after the camera's name.
    """

    default: ParameterValue
    meaning: str
    allowed: tuple[float, float] | None = None
    unit: str = ''
    choices: tuple[str, ...] = ()
    live: bool = False
    read: Callable[[Any], Any] | None = None
    see: str = ''
    name: str = ''

    @property
    def description(self) -> str:
        """The meaning with the unit, as a sentence."""
        return f'{self.meaning}, in {self.unit}.' if self.unit else f'{self.meaning}.'

    def check(self, value: Any) -> Any:
        """
        Return a value of the right type and range, converted by ``read``.

        Raises:
            RequestError: if the value is missing, too long, none of the choices or invalid.
        """
        if value is None:
            raise RequestError(f'parameter {self.name} has no value: give it one')
        if isinstance(value, str) and len(value) > MAX_TEXT_LENGTH:
            raise RequestError(
                f'parameter {self.name} is {quoted(value)}: use at most {MAX_TEXT_LENGTH} '
                'characters'
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
    """Declare a dataclass field as a parameter; see :class:`Parameter`."""
    return field(metadata={'parameter': Parameter(default, meaning, allowed, **details)})


def live_parameter(*arguments: Any, **details: Any) -> Any:
    """Declare a dataclass field as a parameter whose changes take effect at once."""
    return parameter(*arguments, live=True, **details)


def parameters_of(values: type, prefix: str = '') -> tuple[Parameter, ...]:
    """
    Return the parameters that a dataclass declares, in the order of its fields.

    Args:
        values: the dataclass.
        prefix: of their names, before the name of the field.
    """
    return tuple(
        replace(each.metadata['parameter'], name=prefix + each.name)
        for each in fields(values)
        if 'parameter' in each.metadata
    )
