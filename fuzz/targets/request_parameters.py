# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Parameters, as `ros2 param set` and files bring them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgetpu_retrain.node.parameters.camera_names import MAX_CAMERAS
from edgetpu_retrain.node.parameters.values import (
    camera_parameters,
    collect_parameters,
    PARAMETERS,
)
from edgetpu_retrain.parameter import Parameter
from fuzz.message_fields import Fields, ReadFields, WrittenFields
from fuzz.target import each_of, MemoryBudget, MIB, Target


def _run(data: bytes, _folder: Path) -> None:
    _collect(ReadFields(data))


def _collect(fields: Fields) -> None:
    cameras = [fields.text('camera') for _ in range(fields.how_many(MAX_CAMERAS + 2, 1))]
    values = {each.name: _value(fields, each) for each in PARAMETERS} | {'cameras': cameras}
    known = dict(values)
    for camera in cameras[:2]:
        known |= {each.name: _value(fields, each) for each in camera_parameters(camera)}

    def value_of(name: str) -> Any:
        return known.get(name, next((each.default for each in PARAMETERS if each.name == name), 0))

    each_of(
        lambda: collect_parameters(value_of),
        *(
            lambda each=each: each.check(known[each.name])
            for each in (*PARAMETERS, *camera_parameters('camera'))
            if each.name in known
        ),
    )


def _value(fields: Fields, parameter: Parameter) -> Any:
    """Return a value of the parameter's type, which is what ROS lets through, or none."""
    default = parameter.default
    if not fields.flag(True):
        return None if fields.flag(False) else default
    if isinstance(default, bool):
        return fields.flag(default)
    if isinstance(default, int):
        return fields.signed(64, default)
    if isinstance(default, float):
        return fields.number(default)
    if isinstance(default, str):
        return fields.text(default)
    if default and isinstance(default[0], int):
        return [fields.signed(64, 0) for _ in range(fields.how_many(6, 4))]
    return [fields.text('camera') for _ in range(fields.how_many(6, 1))]


def _seeds() -> Iterator[bytes]:
    fields = WrittenFields()
    _collect(fields)
    yield fields.content


# Each of the texts may be one of 2 MB made of 64 bytes.
TARGET = Target(run=_run, seeds=_seeds, max_bytes=4096, memory=MemoryBudget(24 * MIB, 200_000))
