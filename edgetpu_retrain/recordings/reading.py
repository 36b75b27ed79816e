# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads pictures one after the other, and continues after unreadable ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.image_conversion import RgbArray
from edgetpu_retrain.recordings.recorded_picture import RecordedPicture


class PictureRead(NamedTuple):
    """A picture that was read, or the reason why it could not be."""

    picture: RecordedPicture
    rgb: RgbArray | None
    """uint8 ``[H, W, 3]``, None if it could not be read."""
    fault: str
    """Why it could not be read, or ''."""


def read_pictures(pictures: Iterable[RecordedPicture]) -> Iterator[PictureRead]:
    """
    Read pictures in their order, one in memory at a time.

    A picture that cannot be read is yielded with the reason.  No thread decodes ahead: with a node
    that keeps the cores busy, that is slower (docs/benchmarks.md).

    Args:
        pictures: the pictures to read.

    Raises:
        RecordingError: if iterating over ``pictures`` raises it.
    """
    return map(_read, pictures)


def _read(picture: RecordedPicture) -> PictureRead:
    try:
        return PictureRead(picture, picture.read(), '')
    except ImageError as error:
        return PictureRead(picture, None, str(error))
