# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Reads the names of the cameras in a ROS parameter file, for the launch files.

The keys of such a file are patterns of full node names
(https://design.ros2.org/articles/160_ros_command_line_arguments.html): ``*`` stands for one part
of a name, ``**`` for any number of parts, and keys may be nested.  If several keys that match a
node set the same parameter, the last value is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import re
from typing import Any

from edgetpu_retrain.errors import RequestError
import yaml

_WILDCARDS = {'*': r'/\w+', '**': r'(/\w+)*'}


def cameras_in(path: Path, node: str) -> list[str]:
    """
    Return the value of the parameter ``cameras`` of a node in a parameter file.

    The result is [] if the file does not set the parameter to a list.

    Args:
        path: the parameter file.
        node: full name of the node.

    Raises:
        RequestError: if the file cannot be read.
    """
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RequestError(f'params_file {path} cannot be read: {error}') from error
    cameras: list[str] = []
    for pattern, parameters in _sections(content, ''):
        if re.fullmatch(pattern, node) and isinstance(parameters.get('cameras'), list):
            cameras = parameters['cameras']
    return cameras


def _sections(content: Any, above: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the pattern of each section, as a regular expression, with its parameters."""
    if not isinstance(content, dict):
        return
    for key, value in content.items():
        if key == 'ros__parameters':
            if isinstance(value, dict):
                yield above, value
            continue
        parts = str(key).strip('/').split('/')
        below = ''.join(_WILDCARDS.get(part, f'/{re.escape(part)}') for part in parts)
        yield from _sections(value, above + below)
