# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import cv2
from edgetpu_retrain.demo.camera_motion import RgbArray
from edgetpu_retrain.demo.contact_sheet import (
    choose_frames,
    draw_contact_sheet,
    save_contact_sheet,
)
from edgetpu_retrain.demo.exam import ExamFrame, FrameResult
import numpy as np
import pytest

GREEN = (106, 208, 148)
RED = (255, 112, 104)


def frame(stamp: int, truth: str, label: str | None = None, confidence: float = 1.0) -> ExamFrame:
    result = None if label is None else FrameResult(label, confidence, 0.0, 0.0)
    return ExamFrame(stamp, truth, result)


def picture(value: int = 90) -> RgbArray:
    return np.full((240, 320, 3), value, np.uint8)


def sheet(columns: dict[str, list[ExamFrame]], value: int = 90) -> RgbArray:
    return draw_contact_sheet(columns, {1: picture(value)}, 'a', 'b')


def pixels_of(sheet: RgbArray, colour: tuple[int, int, int]) -> int:
    return int((sheet == colour).all(axis=2).sum())


def test_right_frames_are_spread_over_the_exam() -> None:
    frames = [frame(stamp, 'cat', 'cat') for stamp in range(40)]
    chosen = choose_frames(frames, range(40), rows=4)
    assert [frame.stamp_ns for frame in chosen['cat']] == [5, 15, 25, 35]


def test_mistakes_and_unclassified_frames_are_never_hidden() -> None:
    labels = {7: 'coins', 8: None}
    frames = [frame(stamp, 'cat', labels.get(stamp, 'cat')) for stamp in range(40)]
    chosen = choose_frames(frames, range(40), rows=4)
    stamps = [frame.stamp_ns for frame in chosen['cat']]
    assert len(stamps) == 4
    assert {7, 8} <= set(stamps)
    assert stamps == sorted(stamps)


def test_frames_without_a_picture_are_left_out_and_subjects_are_in_order() -> None:
    frames = [frame(1, 'rocket', 'rocket'), frame(2, 'cat', 'cat'), frame(3, 'cat', 'cat')]
    chosen = choose_frames(frames, {1, 2}, rows=4)
    assert list(chosen) == ['cat', 'rocket']
    assert [frame.stamp_ns for frame in chosen['cat']] == [2]


def test_the_sheet_shows_pictures_and_the_colour_of_the_classification() -> None:
    right = sheet({'cat': [frame(1, 'cat', 'cat')]}, 77)
    wrong = sheet({'cat': [frame(1, 'cat', 'coins')]}, 77)
    assert pixels_of(right, (77, 77, 77)) > 0.97 * 160 * 120
    assert pixels_of(right, GREEN) > 0
    assert pixels_of(right, RED) == 0
    assert pixels_of(wrong, RED) > 0
    assert pixels_of(wrong, GREEN) == 0


def test_the_bar_is_as_long_as_the_confidence() -> None:
    def longest_row(confidence: float) -> int:
        drawn = sheet({'cat': [frame(1, 'cat', 'cat', confidence)]})
        return int((drawn == GREEN).all(axis=2).sum(axis=1).max())

    # No row of the caption, which has the same colour, is as long as half of the bar.
    assert (longest_row(1.0), longest_row(0.5)) == (160, 80)


def test_the_sheet_grows_with_columns_and_rows() -> None:
    shown = frame(1, 'cat', 'cat')
    one = sheet({'cat': [shown]})
    two_columns = sheet({'cat': [shown], 'coins': [shown]})
    two_rows = sheet({'cat': [shown, shown]})
    assert two_columns.shape[1] > one.shape[1]
    assert two_columns.shape[0] == one.shape[0]
    assert two_rows.shape[0] > one.shape[0]


def test_an_exam_without_any_frame_still_gives_a_sheet() -> None:
    assert sheet({}).ndim == 3


def test_the_sheet_is_written_as_png_in_the_right_colours(tmp_path: Path) -> None:
    drawn = sheet({'cat': [frame(1, 'cat', 'cat')]})
    path = tmp_path / 'sheet.png'
    save_contact_sheet(drawn, path)
    assert path.read_bytes().startswith(b'\x89PNG')
    np.testing.assert_array_equal(cv2.imread(str(path))[:, :, ::-1], drawn)


def test_a_sheet_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match='contact sheet'):
        save_contact_sheet(picture(), tmp_path / 'no_such_folder' / 'sheet.png')
