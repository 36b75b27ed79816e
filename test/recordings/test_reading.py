# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator

from edgetpu_retrain.errors import ImageError, RecordingError
from edgetpu_retrain.pictures.image_conversion import RgbArray
from edgetpu_retrain.recordings.reading import read_pictures
from edgetpu_retrain.recordings.recorded_picture import RecordedPicture
import numpy as np
import pytest


def picture(value: int) -> RecordedPicture:
    def read() -> RgbArray:
        if value == 3:
            raise ImageError('it is damaged')
        return np.full((2, 2, 3), value, np.uint8)

    return RecordedPicture(str(value), read)


def test_pictures_stay_in_order_and_unreadable_ones_are_yielded_with_a_reason() -> None:
    found = list(read_pictures(map(picture, range(5))))
    assert [each.picture.name for each in found] == list('01234')
    assert [None if each.rgb is None else int(each.rgb[0, 0, 0]) for each in found] == [
        *(0, 1, 2),
        None,
        4,
    ]
    assert [each.fault for each in found if each.fault] == ['it is damaged']


def test_pictures_before_a_damaged_part_are_yielded() -> None:
    def source() -> Iterator[RecordedPicture]:
        yield picture(1)
        yield picture(2)
        raise RecordingError('the bag ends here')

    reading = read_pictures(source())
    assert [next(reading).picture.name, next(reading).picture.name] == ['1', '2']
    with pytest.raises(RecordingError, match='ends here'):
        next(reading)
