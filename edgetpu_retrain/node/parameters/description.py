# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""What there is to say about one parameter of the node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.wording import quoted

MAX_TEXT_LENGTH = 4096
"""Characters of a text: a path has no more (PATH_MAX)."""

ParameterValue = str | int | float | bool | list[str] | list[int]


@dataclass(frozen=True)
class Parameter:
    """
    One parameter.

    Args:
        name: as in a parameter file.
        default: its value when nobody sets it; tells the type, too.
        description: what it is for, with unit.
        allowed: smallest and largest value, None where there is no such thing.
        choices: all values that it can have, () where any text will do.
        live: whether a change while the node runs takes effect.
        read: from its value to what it means, where the value itself is not that; raises
            RequestError when it is impossible.
    """

    name: str
    default: ParameterValue
    description: str
    allowed: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    live: bool = False
    read: Callable[[Any], Any] | None = None

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
