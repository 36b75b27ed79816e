# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The contact sheet: some frames of the exam with true class, classification and confidence.

The sheet is drawn at twice its size and then scaled down, so that OpenCV's fonts look smooth.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import cv2
from edgetpu_retrain.demo.camera_motion import RgbArray
from edgetpu_retrain.demo.exam import ExamFrame
import numpy as np

Colour = tuple[int, int, int]

ROWS = 4

_OVERSAMPLING = 2
# Sizes on the final sheet, pixels.  _TILE is the width and height of a picture.
_TILE = (160, 120)
_GAP = 16
_BORDER = 3
_CAPTION = 44
_TITLE = 92
_COLUMN_TITLE = 34
_BAR_HEIGHT = 4
_FONT = cv2.FONT_HERSHEY_DUPLEX

# Colours are in the order red, green, blue.
_PAPER: Colour = (20, 23, 31)
_TRACK: Colour = (48, 54, 68)
_INK: Colour = (236, 239, 244)
_QUIET: Colour = (140, 150, 168)
_RIGHT: Colour = (106, 208, 148)
_WRONG: Colour = (255, 112, 104)


def choose_frames(
    frames: Sequence[ExamFrame], pictured: Collection[int], rows: int = ROWS
) -> dict[str, list[ExamFrame]]:
    """
    Choose frames of each subject for the contact sheet; mistakes have priority.

    The first ``rows`` mistakes of a subject are chosen.  Remaining places get correctly classified
    frames, spread over the exam.  An unclassified frame is a mistake.

    Args:
        frames: frames of the exam, in the order of their stamps.
        pictured: stamps of the frames with a picture, nanoseconds; other frames are not chosen.
        rows: maximum number of frames of each subject.

    Returns:
        The chosen frames by subject, in the order of their stamps; subjects in alphabetical order.
    """
    chosen: dict[str, list[ExamFrame]] = {}
    for subject in sorted({frame.truth for frame in frames}):
        shown = [f for f in frames if f.truth == subject and f.stamp_ns in pictured]
        mistakes = [frame for frame in shown if not frame.right][:rows]
        others = [frame for frame in shown if frame.right]
        room = min(rows - len(mistakes), len(others))
        # Choose the middle frame of each of ``room`` equal parts.
        spread = [others[(2 * part + 1) * len(others) // (2 * room)] for part in range(room)]
        chosen[subject] = sorted(mistakes + spread, key=lambda frame: frame.stamp_ns)
    return chosen


def draw_contact_sheet(
    columns: Mapping[str, Sequence[ExamFrame]],
    pictures: Mapping[int, RgbArray],
    title: str,
    subtitle: str,
) -> RgbArray:
    """
    Draw the contact sheet.

    Args:
        columns: frames by subject, as :func:`choose_frames` returns them.
        pictures: the picture of each of these frames, uint8 ``[height, width, 3]`` RGB, by stamp,
            nanoseconds.
        title: first line of the sheet, ASCII.
        subtitle: second line, in smaller type, ASCII.

    Returns:
        uint8 ``[height, width, 3]`` RGB.
    """
    rows = max((len(frames) for frames in columns.values()), default=0)
    width = _GAP + max(len(columns), 1) * (_TILE[0] + _GAP)
    height = _TITLE + _COLUMN_TITLE + rows * (_TILE[1] + _CAPTION) + _GAP
    shape = (height * _OVERSAMPLING, width * _OVERSAMPLING, 3)
    canvas: RgbArray = np.full(shape, _PAPER, np.uint8)
    _write(canvas, title, (_GAP, 44), 0.95, _INK)
    _write(canvas, subtitle, (_GAP, 74), 0.56, _QUIET)
    for column, (subject, frames) in enumerate(columns.items()):
        left = _GAP + column * (_TILE[0] + _GAP)
        _write(canvas, subject, (left, _TITLE + 22), 0.68, _INK)
        for row, frame in enumerate(frames):
            top = _TITLE + _COLUMN_TITLE + row * (_TILE[1] + _CAPTION)
            _draw_frame(canvas, frame, pictures[frame.stamp_ns], left, top)
    sheet = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(sheet, np.uint8)


def save_contact_sheet(sheet: RgbArray, path: Path) -> None:
    """
    Write the contact sheet to a PNG file.

    Args:
        sheet: uint8 ``[height, width, 3]`` RGB.
        path: path of the file, which ends with ``.png``.

    Raises:
        OSError: if the file cannot be written.
    """
    bgr = np.ascontiguousarray(sheet[:, :, ::-1])
    if not cv2.imwrite(str(path), bgr, [cv2.IMWRITE_PNG_COMPRESSION, 9]):
        raise OSError(f'cannot write the contact sheet to {path}')


def _draw_frame(
    canvas: RgbArray, frame: ExamFrame, picture: RgbArray, left: int, top: int
) -> None:
    width, height = _TILE
    colour = _RIGHT if frame.right else _WRONG
    if not frame.right:
        border = (width + 2 * _BORDER, height + 2 * _BORDER)
        canvas[_area(left - _BORDER, top - _BORDER, *border)] = colour
    large = (width * _OVERSAMPLING, height * _OVERSAMPLING)
    scaled = cv2.resize(picture, large, interpolation=cv2.INTER_AREA)
    canvas[_area(left, top, width, height)] = scaled
    bar = top + height + 27
    canvas[_area(left, bar, width, _BAR_HEIGHT)] = _TRACK
    caption = 'not classified'
    if frame.result is not None:
        confidence = frame.result.confidence
        caption = f'{frame.result.label} {confidence:.0%}'
        canvas[_area(left, bar, max(2.0, width * confidence), _BAR_HEIGHT)] = colour
    _write(canvas, caption, (left, top + height + 19), 0.5, colour)


def _write(
    canvas: RgbArray, text: str, position: tuple[int, int], scale: float, colour: Colour
) -> None:
    """Draw a line of text; ``position`` is the left end of its baseline on the final sheet."""
    large = scale * _OVERSAMPLING
    thickness = max(1, round(1.1 * large))
    origin = (position[0] * _OVERSAMPLING, position[1] * _OVERSAMPLING)
    cv2.putText(canvas, text, origin, _FONT, large, colour, thickness, cv2.LINE_AA)


def _area(left: int, top: int, width: float, height: int) -> tuple[slice, slice]:
    """Return the rows and columns of the canvas for an area in pixels of the final sheet."""
    rows, columns = (
        slice(start * _OVERSAMPLING, round((start + length) * _OVERSAMPLING))
        for start, length in ((top, height), (left, width))
    )
    return rows, columns
