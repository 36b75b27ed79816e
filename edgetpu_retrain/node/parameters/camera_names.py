# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The rules for the parameter ``cameras``, the names of the cameras."""

from __future__ import annotations

import re

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.wording import named, quoted

MAX_CAMERAS = 32
"""Maximum number of cameras; each has separate topics, parameters and statistics."""

MAX_CAMERA_NAME_LENGTH = 50
"""Maximum length of a camera's name, characters; topic names, at most 255 long, contain it."""

# A camera's name is the prefix of its parameters' names and part of topic names
# (https://design.ros2.org/articles/topic_and_service_names.html).
_CAMERA_NAME = re.compile(r'[A-Za-z][A-Za-z0-9_]*')


def check_camera_names(names: list[str]) -> list[str]:
    """
    Check the parameter ``cameras``, and return it unchanged.

    Args:
        names: names of the cameras.

    Raises:
        RequestError: if there are no names or too many, or a name is repeated, too long or cannot
            be part of a topic name.
    """
    if not names or list(names) == ['']:
        raise RequestError('parameter cameras is empty: name at least one camera')
    if len(names) > MAX_CAMERAS:
        raise RequestError(f'parameter cameras has {len(names)} names: use at most {MAX_CAMERAS}')
    for name in names:
        if len(name) > MAX_CAMERA_NAME_LENGTH:
            raise RequestError(
                f'parameter cameras has the name {quoted(name)}: use at most '
                f'{MAX_CAMERA_NAME_LENGTH} characters'
            )
        if not _CAMERA_NAME.fullmatch(name):
            raise RequestError(
                f'parameter cameras has the name {quoted(name)}: use letters, digits and '
                'underscores, beginning with a letter'
            )
    if len(set(names)) != len(names):
        raise RequestError(f'parameter cameras is {named(names)}: each name must be there once')
    return names
