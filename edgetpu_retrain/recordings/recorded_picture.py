# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""RecordedPicture: one picture of a recording, read on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgetpu_retrain.pictures.lazy_picture import LazyPicture


@dataclass(frozen=True, eq=False)
class RecordedPicture:
    """
    One picture of a recording.

    The picture is decoded only when it is used.  Decoding pictures in advance, in another thread,
    was slower (docs/benchmarks.md).

    Args:
        name: the picture's name for users: a path, or a topic with a time.
        read: returns the picture, not yet decoded; reading or decoding may raise ImageError.
        label: the label of the picture; '' = none.
        camera: the topic of the message; '' for a file.
        stamp_ns: the stamp of the message, nanoseconds; 0 = unknown.
        recording: name of the picture's recording; '' = unknown.
        is_single: whether the picture alone is a recording.  Teaching makes one exception: a near
            copy of the preceding picture joins that picture's recording.
    """

    name: str
    read: Callable[[], LazyPicture]
    label: str = ''
    camera: str = ''
    stamp_ns: int = 0
    recording: str = ''
    is_single: bool = False
