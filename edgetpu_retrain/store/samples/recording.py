# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Recordings: groups of samples that were taken in one go.

Unless its name is given, a recording contains samples of one camera, without a pause of a minute
or more.  Frames of one recording are similar.  If a training held out single frames, its metrics
would not be valid for other recordings.  A training therefore holds out whole recordings, if
possible.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import NamedTuple

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.wording import one_line, quoted

MAX_PAUSE_S = 60
"""Pause between two samples of a camera after which a new recording begins, seconds."""

MAX_RECORDING_LENGTH = 255
"""Maximum length of the name of a recording, in characters."""

_NANOSECONDS = 1_000_000_000
# Maximum length of the camera's name in the name of a recording; a time and an id follow.
_CAMERA_CHARACTERS = 200


class Taken(NamedTuple):
    """The two times of a sample: the stamp of its image, and when it was stored."""

    stamp_ns: int
    """The stamp of its image, nanoseconds; 0 = none."""
    added_ns: int
    """When it was stored, nanoseconds since 1970."""


def continues(earlier: Taken, later: Taken) -> bool:
    """
    Return whether a sample is in the same recording as an earlier sample of its camera.

    The stamps of the two images are compared or, if an image has no stamp, the times of storing.
    If the time went back, a simulation or a bag has begun again, and with it a new recording.
    """
    clock = 'stamp_ns' if earlier.stamp_ns and later.stamp_ns else 'added_ns'
    pause = getattr(later, clock) - getattr(earlier, clock)
    return bool(0 <= pause < MAX_PAUSE_S * _NANOSECONDS)


def recording_name(camera: str, added_ns: int, number: int | str) -> str:
    """
    Return the name of a new recording.

    Args:
        camera: name of the camera, or topic of the bag; '' = none.
        added_ns: when its first sample was stored, nanoseconds since 1970.
        number: id of its first sample or, if this sample was a question, 'q' and the id of the
            question; makes the name unique.

    >>> recording_name('front', 1_700_000_000_000_000_000, 12)
    'front 2023-11-14T22:13:20Z #12'
    """
    time = datetime.fromtimestamp(added_ns // _NANOSECONDS, timezone.utc)
    return f'{camera[:_CAMERA_CHARACTERS]} {time:%Y-%m-%dT%H:%M:%SZ} #{number}'.lstrip()


def check_recording(name: str) -> str:
    """Return the name of a recording ('' = none); raise RequestError if it is invalid."""
    return check_text('recording', name, MAX_RECORDING_LENGTH)


def check_text(what: str, name: str, longest: int) -> str:
    """
    Return a name unchanged; raise RequestError if it is too long or not printable.

    Args:
        what: name of the field, for the message.
        name: the name.
        longest: maximum length of the name, in characters.
    """
    if len(name) > longest or name != one_line(name):
        raise RequestError(
            f'The {what} {quoted(name)} is no name: use at most {longest} printable characters.'
        )
    return name
