# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks the headers of messages, and converts their stamps."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.wording import quoted

NANOSECONDS = 1_000_000_000

MAX_FRAME_ID_LENGTH = 255
"""Maximum length of a frame_id, characters; every classification is published with it."""

_LAST_SECOND = 2**31 - 1
_FIRST_SECOND = -(2**31)


def check_header(what: str, header: Any) -> None:
    """
    Reject a header that is too long to publish with a classification.

    Args:
        what: name of the message for the error, such as 'the image'.
        header: a ``std_msgs/Header``.

    Raises:
        ImageError: if the frame_id is longer than :data:`MAX_FRAME_ID_LENGTH`.
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
    Return the seconds and nanoseconds of a stamp, in the range of ``builtin_interfaces/Time``.

    Args:
        stamp: nanoseconds.  A stamp from a file or a malformed message may be out of range; the
            nearest time in range is then returned.

    >>> stamp_parts(1_500_000_000), stamp_parts(2**63 - 1)
    ((1, 500000000), (2147483647, 999999999))
    """
    seconds, nanoseconds = divmod(stamp, NANOSECONDS)
    if seconds > _LAST_SECOND:
        return _LAST_SECOND, NANOSECONDS - 1
    return (seconds, nanoseconds) if seconds >= _FIRST_SECOND else (_FIRST_SECOND, 0)
