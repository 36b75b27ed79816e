# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Headers of messages: their stamps as one number, and a frame_id that is worth repeating."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.wording import quoted

NANOSECONDS = 1_000_000_000

MAX_FRAME_ID_LENGTH = 255
"""Characters: it is sent again with every answer; topics and nodes have names as long."""

_LAST_SECOND = 2**31 - 1
_FIRST_SECOND = -(2**31)


def check_header(what: str, header: Any) -> None:
    """
    Refuse a header that would make each answer large.

    Args:
        what: the message is called.
        header: a ``std_msgs/Header``.

    Raises:
        ImageError: when its frame_id is too long.
    """
    if len(header.frame_id) > MAX_FRAME_ID_LENGTH:
        raise ImageError(
            f'the frame_id of {what} is {quoted(header.frame_id)}: use at most '
            f'{MAX_FRAME_ID_LENGTH} characters'
        )


def stamp_ns(header: Any) -> int:
    """Return the stamp of a ``std_msgs/Header`` in nanoseconds."""
    return int(header.stamp.sec) * NANOSECONDS + int(header.stamp.nanosec)


def stamp_parts(stamp: int) -> tuple[int, int]:
    """
    Return seconds and nanoseconds of a stamp, as ``builtin_interfaces/Time`` can hold them.

    Args:
        stamp: nanoseconds.  A message can have one of more than a second's nanoseconds, and a
            file any; what is out of reach becomes the nearest that is not.

    >>> stamp_parts(1_500_000_000), stamp_parts(2**63 - 1)
    ((1, 500000000), (2147483647, 999999999))
    """
    seconds, nanoseconds = divmod(stamp, NANOSECONDS)
    if seconds > _LAST_SECOND:
        return _LAST_SECOND, NANOSECONDS - 1
    return (seconds, nanoseconds) if seconds >= _FIRST_SECOND else (_FIRST_SECOND, 0)
