# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What there is to say about one parameter, as metadata of a field of a dataclass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.wording import quoted

MAX_TEXT_LENGTH = 4096
"""Characters of a text: a path has no more (PATH_MAX)."""

TAKES_EFFECT_AT_ONCE = 'Takes effect at once.'

ParameterValue = str | int | float | bool | list[str] | list[int]


@dataclass(frozen=True)
class Parameter:
    """
    One parameter.

    Args:
        default: its value when nobody sets it; its type is the type of the parameter.
        meaning: what it is for, a sentence without its full stop.
        allowed: smallest and largest value, None where there is no such thing.
        unit: of its value, '' where it has none.
        choices: all values that it can have, () where any text will do.
        live: whether a change takes effect while the node runs.
        read: from its value to what it means, where the value itself is not that; raises
            RequestError when it is impossible.
        see: Markdown link from docs/interface.md to more about it, '' where there is no more.
        name: as in a parameter file; the name of the field, after the camera's.
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
        """The meaning with the unit, a whole sentence."""
        return f'{self.meaning}, in {self.unit}.' if self.unit else f'{self.meaning}.'

    def check(self, value: Any) -> None:
        """
        Refuse a value that no range describes.

        Args:
            value: of the right type.

        Raises:
            RequestError: when it is none of the choices, or impossible.
        """
        if value is None:
            raise RequestError(f'parameter {self.name} has no value: give it one')
        if isinstance(value, str) and len(value) > MAX_TEXT_LENGTH:
            raise RequestError(
                f'parameter {self.name} is {quoted(value)}: use at most {MAX_TEXT_LENGTH} '
                'characters'
            )
        if self.read is not None:
            try:
                self.read(value)
            except RequestError as error:
                raise RequestError(f'parameter {self.name}: {error}') from error
        if self.choices and value not in self.choices:
            raise RequestError(
                f'parameter {self.name} is {quoted(value)}: set it to {" or ".join(self.choices)}'
            )


def parameter(default: ParameterValue, meaning: str, **details: Any) -> Any:
    """Declare that a field of a dataclass is a parameter; see :class:`Parameter`."""
    return field(metadata={'parameter': Parameter(default, meaning, **details)})


def parameters_of(values: type, prefix: str = '') -> tuple[Parameter, ...]:
    """
    Return the parameters that a dataclass declares, in the order of its fields.

    Args:
        values: the dataclass.
        prefix: what their names begin with, before the name of the field.
    """
    return tuple(
        replace(each.metadata['parameter'], name=prefix + each.name)
        for each in fields(values)
        if 'parameter' in each.metadata
    )
