# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The contact sheet: some frames of the exam with true class, classification and confidence.

OpenCV draws everything at twice the final size before it is scaled down, because its line fonts
look poor otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
from edgetpu_retrain.demo.camera_motion import Picture
from edgetpu_retrain.demo.exam import ExamFrame
import numpy as np

Colour = tuple[int, int, int]

ROWS = 4

_OVERSAMPLING = 2
_TILE = (160, 120)
_GAP = 16
_CORNER = 10
_BORDER = 3
_CAPTION = 44
_TITLE = 92
_COLUMN_TITLE = 34
_FONT = cv2.FONT_HERSHEY_DUPLEX

_PAPER: Colour = (20, 23, 31)
_TRACK: Colour = (48, 54, 68)
_INK: Colour = (236, 239, 244)
_QUIET: Colour = (140, 150, 168)
_RIGHT: Colour = (106, 208, 148)
_WRONG: Colour = (255, 112, 104)


@dataclass(frozen=True)
class Tile:
    """A frame of the exam and its picture, uint8 ``[height, width, 3]`` RGB."""

    frame: ExamFrame
    picture: Picture


def choose_tiles(
    frames: Sequence[ExamFrame], pictures: Mapping[int, Picture], rows: int = ROWS
) -> dict[str, list[Tile]]:
    """
    Choose up to `rows` frames of each subject: mistakes first, then evenly over the exam.

    Args:
        frames: frames of the exam, in the order of their stamps.
        pictures: pictures by stamp, nanoseconds; frames without one are skipped.
        rows: maximum number of frames per subject.

    Returns:
        Tiles by subject, subjects in alphabetical order, tiles in the order of the frames.
    """
    chosen: dict[str, list[Tile]] = {}
    for subject in sorted({frame.truth for frame in frames}):
        shown = [f for f in frames if f.truth == subject and f.stamp_ns in pictures]
        mistakes = [frame for frame in shown if not frame.right][:rows]
        others = [frame for frame in shown if frame.right]
        room = min(rows - len(mistakes), len(others))
        # The centres of `room` equal parts.
        spread = [others[(2 * part + 1) * len(others) // (2 * room)] for part in range(room)]
        chosen[subject] = [
            Tile(frame, pictures[frame.stamp_ns])
            for frame in sorted(mistakes + spread, key=lambda frame: frame.stamp_ns)
        ]
    return chosen


def draw_contact_sheet(
    columns: Mapping[str, Sequence[Tile]], title: str, subtitle: str
) -> Picture:
    """
    Return the contact sheet, uint8 ``[height, width, 3]`` RGB.

    Args:
        columns: tiles by subject, as :func:`choose_tiles` returns them.
        title: first line of the sheet, ASCII.
        subtitle: second line, smaller, ASCII.
    """
    rows = max((len(tiles) for tiles in columns.values()), default=0)
    width = _GAP + max(len(columns), 1) * (_TILE[0] + _GAP)
    height = _TITLE + _COLUMN_TITLE + rows * (_TILE[1] + _CAPTION) + _GAP
    canvas = _Canvas(width, height)
    canvas.text(title, (_GAP, 44), 0.95, _INK)
    canvas.text(subtitle, (_GAP, 74), 0.56, _QUIET)
    for column, (subject, tiles) in enumerate(columns.items()):
        left = _GAP + column * (_TILE[0] + _GAP)
        canvas.text(subject, (left, _TITLE + 22), 0.68, _INK)
        for row, tile in enumerate(tiles):
            top = _TITLE + _COLUMN_TITLE + row * (_TILE[1] + _CAPTION)
            _draw_tile(canvas, tile, left, top)
    return canvas.finished()


def save_contact_sheet(sheet: Picture, path: Path) -> None:
    """
    Write the sheet as PNG.

    Raises:
        OSError: if it cannot be written.
    """
    bgr = np.ascontiguousarray(sheet[:, :, ::-1])
    if not cv2.imwrite(str(path), bgr, [cv2.IMWRITE_PNG_COMPRESSION, 9]):
        raise OSError(f'cannot write the contact sheet to {path}')


def _draw_tile(canvas: _Canvas, tile: Tile, left: int, top: int) -> None:
    width, height = _TILE
    answer = tile.frame.answer
    colour = _RIGHT if tile.frame.right else _WRONG
    label, confidence = ('no answer', 0.0) if answer is None else (answer.label, answer.confidence)
    if not tile.frame.right:
        size = (width + 2 * _BORDER, height + 2 * _BORDER)
        canvas.panel((left - _BORDER, top - _BORDER), size, colour, _CORNER + _BORDER)
    canvas.picture(tile.picture, (left, top), _TILE)
    baseline = top + height + 19
    percent = '' if answer is None else f'{100.0 * confidence:.0f}%'
    canvas.text(label, (left, baseline), 0.5, colour)
    canvas.text(percent, (left + width, baseline), 0.5, _QUIET, right_aligned=True)
    bar = top + height + 27
    canvas.bar((left, bar), width, _TRACK)
    if confidence > 0.0:
        canvas.bar((left, bar), max(2.0, width * min(confidence, 1.0)), colour)


class _Canvas:
    """A picture under construction; positions are in final pixels, from the top left."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        shape = (height * _OVERSAMPLING, width * _OVERSAMPLING, 3)
        self._pixels: Picture = np.full(shape, _PAPER, np.uint8)

    def text(
        self,
        text: str,
        position: tuple[int, int],
        scale: float,
        colour: Colour,
        *,
        right_aligned: bool = False,
    ) -> None:
        """Draw a line of text; `position` is the start (or end) of its baseline."""
        large = scale * _OVERSAMPLING
        thickness = max(1, round(1.1 * large))
        (width, _), _ = cv2.getTextSize(text, _FONT, large, thickness)
        x = position[0] * _OVERSAMPLING - (width if right_aligned else 0)
        origin = (x, position[1] * _OVERSAMPLING)
        cv2.putText(self._pixels, text, origin, _FONT, large, colour, thickness, cv2.LINE_AA)

    def picture(self, picture: Picture, position: tuple[int, int], size: tuple[int, int]) -> None:
        """Draw a picture of `size` with round corners."""
        width, height = size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING
        scaled = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        self._fill(position, np.asarray(scaled, np.uint8), _CORNER)

    def panel(
        self, position: tuple[int, int], size: tuple[int, int], colour: Colour, corner: int
    ) -> None:
        """Draw a plain area of `size` with round corners."""
        shape = (size[1] * _OVERSAMPLING, size[0] * _OVERSAMPLING, 3)
        self._fill(position, np.full(shape, colour, np.uint8), corner)

    def _fill(self, position: tuple[int, int], content: Picture, corner: int) -> None:
        height, width = content.shape[:2]
        left, top = (value * _OVERSAMPLING for value in position)
        radius = corner * _OVERSAMPLING
        inside = np.zeros((height, width), np.uint8)
        cv2.rectangle(inside, (radius, 0), (width - 1 - radius, height - 1), 1, cv2.FILLED)
        cv2.rectangle(inside, (0, radius), (width - 1, height - 1 - radius), 1, cv2.FILLED)
        for x in (radius, width - 1 - radius):
            for y in (radius, height - 1 - radius):
                cv2.circle(inside, (x, y), radius, 1, cv2.FILLED)
        rows, columns = slice(top, top + height), slice(left, left + width)
        area = self._pixels[rows, columns]
        np.copyto(area, content, where=inside[:, :, np.newaxis] > 0)

    def bar(self, position: tuple[int, int], length: float, colour: Colour) -> None:
        """Draw a horizontal bar, 4 pixels high."""
        left, top = (value * _OVERSAMPLING for value in position)
        corner = (left + round(length * _OVERSAMPLING) - 1, top + 4 * _OVERSAMPLING - 1)
        cv2.rectangle(self._pixels, (left, top), corner, colour, cv2.FILLED)

    def finished(self) -> Picture:
        """Return the picture at its final size."""
        small = cv2.resize(self._pixels, self._size, interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.uint8)
