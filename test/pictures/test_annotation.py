# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Annotated pictures, checked by their pixels; needs no ROS."""

from __future__ import annotations

from typing import Any

import cv2
from edgetpu_retrain.pictures.annotation import (
    annotate,
    annotated_jpeg,
    Annotation,
    FrameRate,
    LEAST_WIDTH,
    LONGEST_SIDE,
    printable,
)
from edgetpu_retrain.pictures.region import Region
import numpy as np
import pytest

ANSWER = Annotation('cat', 0.75, unknown=False, model_version=3, frames_per_second=29.5)
PICTURE = np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)
GREEN, ORANGE = (90, 190, 60), (40, 140, 240)


def changed(**changes: Any) -> Annotation:
    return Annotation(**(vars(ANSWER) | changes))


def strip_of(annotation: Annotation, picture: Any = PICTURE) -> Any:
    drawn = annotate(picture, annotation)
    below = 480 * drawn.shape[1] // 640
    return drawn[below:]


def bar_length(annotation: Annotation, colour: tuple[int, int, int]) -> int:
    filled = (strip_of(annotation) == colour).all(axis=2)
    return int(filled.sum(axis=1).max())


def test_the_picture_itself_is_shown_and_stays_as_it_is() -> None:
    before = PICTURE.copy()
    drawn = annotate(PICTURE, ANSWER)
    np.testing.assert_array_equal(drawn[:480], PICTURE[..., ::-1])
    np.testing.assert_array_equal(PICTURE, before)


def test_pictures_that_cannot_be_written_to_are_taken() -> None:
    rgb = np.frombuffer(PICTURE.tobytes(), np.uint8).reshape(PICTURE.shape)
    assert annotate(rgb, changed(region=Region(10, 20, 300, 200))).shape[1] == 640


@pytest.mark.parametrize('score', [0.0, 0.25, 0.75, 1.0])
def test_the_bar_is_as_long_as_the_confidence(score: float) -> None:
    assert bar_length(changed(score=score), GREEN) == pytest.approx(score * 620, abs=1)


def test_unknown_has_a_colour_of_its_own() -> None:
    unknown = changed(label='unknown', unknown=True)
    assert bar_length(unknown, ORANGE) == pytest.approx(0.75 * 620, abs=1)
    assert bar_length(unknown, GREEN) == 0


@pytest.mark.parametrize(
    'changes',
    [{'label': 'dog'}, {'score': 0.74}, {'model_version': 4}, {'frames_per_second': 12.0}],
)
def test_each_fact_can_be_seen(changes: dict[str, Any]) -> None:
    assert (strip_of(changed(**changes)) != strip_of(ANSWER)).any()


def test_a_long_label_leaves_the_number_alone() -> None:
    short, long = strip_of(changed(label='')), strip_of(changed(label='a very long name ' * 6))
    # Without a label there is only the number, whose width depends on OpenCV.
    begin = np.nonzero((short[:34] != short[0, 0]).any(axis=(0, 2)))[0].min()
    np.testing.assert_array_equal(long[:34, begin:], short[:34, begin:])
    assert (long != short).any()


def test_the_region_is_outlined_where_it_is() -> None:
    picture = np.zeros((1080, 1920, 3), np.uint8)
    drawn = annotate(picture, changed(region=Region(400, 200, 900, 700)))[:540]
    rows, columns = np.nonzero((drawn == GREEN).all(axis=2))
    # Two pixels wide, in a picture of half the size.
    assert abs(rows.min() - 100) <= 1
    assert abs(rows.max() - 449) <= 1
    assert abs(columns.min() - 200) <= 1
    assert abs(columns.max() - 649) <= 1
    assert not drawn[110:440, 210:640].any()


@pytest.mark.parametrize('size', [(1080, 1920), (1920, 1080), (48, 64), (1, 1), (3000, 2), (2, 9)])
def test_every_size_is_scaled_to_a_viewing_size(size: tuple[int, int]) -> None:
    drawn = annotate(np.zeros((*size, 3), np.uint8), changed(region=Region(0, 0, 1, 1)))
    assert LEAST_WIDTH <= drawn.shape[1] <= LONGEST_SIDE
    assert drawn.shape[0] <= LONGEST_SIDE + 64


def test_it_is_a_jpeg_file() -> None:
    content = annotated_jpeg(PICTURE, ANSWER)
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert content.startswith(b'\xff\xd8\xff')
    assert decoded.shape == annotate(PICTURE, ANSWER).shape


def test_characters_missing_in_the_font_become_question_marks() -> None:
    assert printable('Schräge Tür') == 'Schrage Tur'
    assert printable('猫') == '?'
    assert printable('cat #1') == 'cat #1'


def test_the_frame_rate_is_that_of_the_last_seconds() -> None:
    rate = FrameRate()
    assert rate.add(0.0) is None
    for number in range(1, 40):
        slow = rate.add(number / 4)
    assert slow == pytest.approx(4.0)
    for number in range(1, 100):
        fast = rate.add(39 / 4 + number / 30)
    assert fast == pytest.approx(30.0)
    # After a pause there is nothing to compare with.
    assert rate.add(1000.0) is None
