# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import cv2
from edgetpu_retrain.demo.camera_motion import Picture
from edgetpu_retrain.demo.contact_sheet import (
    choose_tiles,
    draw_contact_sheet,
    save_contact_sheet,
    Tile,
)
from edgetpu_retrain.demo.exam import Answer, ExamFrame
import numpy as np
import pytest

GREEN = (106, 208, 148)
RED = (255, 112, 104)


def frame(stamp: int, truth: str, label: str | None = None, confidence: float = 1.0) -> ExamFrame:
    answer = None if label is None else Answer(label, confidence, 0.0, 0.0)
    return ExamFrame(stamp, truth, answer)


def picture(value: int = 90) -> Picture:
    return np.full((240, 320, 3), value, np.uint8)


def pixels_of(sheet: Picture, colour: tuple[int, int, int]) -> int:
    return int((sheet == colour).all(axis=2).sum())


def test_right_frames_are_spread_over_the_exam() -> None:
    frames = [frame(stamp, 'cat', 'cat') for stamp in range(40)]
    chosen = choose_tiles(frames, {stamp: picture() for stamp in range(40)}, rows=4)
    assert [tile.frame.stamp_ns for tile in chosen['cat']] == [5, 15, 25, 35]


def test_mistakes_and_unanswered_frames_are_never_hidden() -> None:
    labels = {7: 'coins', 8: None}
    frames = [frame(stamp, 'cat', labels.get(stamp, 'cat')) for stamp in range(40)]
    chosen = choose_tiles(frames, {stamp: picture() for stamp in range(40)}, rows=4)
    stamps = [tile.frame.stamp_ns for tile in chosen['cat']]
    assert len(stamps) == 4
    assert {7, 8} <= set(stamps)
    assert stamps == sorted(stamps)


def test_frames_without_a_picture_are_left_out_and_subjects_are_in_order() -> None:
    frames = [frame(1, 'rocket', 'rocket'), frame(2, 'cat', 'cat'), frame(3, 'cat', 'cat')]
    chosen = choose_tiles(frames, {2: picture(), 1: picture()}, rows=4)
    assert list(chosen) == ['cat', 'rocket']
    assert [tile.frame.stamp_ns for tile in chosen['cat']] == [2]


def test_the_sheet_shows_pictures_and_the_colour_of_the_answer() -> None:
    right = draw_contact_sheet({'cat': [Tile(frame(1, 'cat', 'cat'), picture(77))]}, 'a', 'b')
    wrong = draw_contact_sheet({'cat': [Tile(frame(1, 'cat', 'coins'), picture(77))]}, 'a', 'b')
    assert pixels_of(right, (77, 77, 77)) > 0.97 * 160 * 120
    assert pixels_of(right, GREEN) > 0
    assert pixels_of(right, RED) == 0
    assert pixels_of(wrong, RED) > 0
    assert pixels_of(wrong, GREEN) == 0


def test_the_bar_is_as_long_as_the_confidence() -> None:
    def green(confidence: float) -> int:
        tile = Tile(frame(1, 'cat', 'cat', confidence), picture())
        return pixels_of(draw_contact_sheet({'cat': [tile]}, 'a', 'b'), GREEN)

    # Four pixels high and 160 long; the rest of the green is the same word in both.
    assert green(1.0) - green(0.5) == 4 * 80


def test_the_sheet_grows_with_columns_and_rows() -> None:
    tile = Tile(frame(1, 'cat', 'cat'), picture())
    one = draw_contact_sheet({'cat': [tile]}, 'a', 'b')
    two_columns = draw_contact_sheet({'cat': [tile], 'coins': [tile]}, 'a', 'b')
    two_rows = draw_contact_sheet({'cat': [tile, tile]}, 'a', 'b')
    assert two_columns.shape[1] > one.shape[1]
    assert two_columns.shape[0] == one.shape[0]
    assert two_rows.shape[0] > one.shape[0]


def test_an_exam_without_any_frame_still_gives_a_sheet() -> None:
    assert draw_contact_sheet({}, 'nothing came', 'at all').ndim == 3


def test_the_sheet_is_written_as_png_in_the_right_colours(tmp_path: Path) -> None:
    sheet = draw_contact_sheet({'cat': [Tile(frame(1, 'cat', 'cat'), picture())]}, 'a', 'b')
    path = tmp_path / 'sheet.png'
    save_contact_sheet(sheet, path)
    assert path.read_bytes().startswith(b'\x89PNG')
    np.testing.assert_array_equal(cv2.imread(str(path))[:, :, ::-1], sheet)


def test_a_sheet_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match='contact sheet'):
        save_contact_sheet(picture(), tmp_path / 'no_such_folder' / 'sheet.png')
