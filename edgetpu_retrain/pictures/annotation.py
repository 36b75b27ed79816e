# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Annotation: draws the classification of a picture below the picture."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
import unicodedata

import cv2
from edgetpu_retrain.pictures.pixels import RgbArray
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.pictures.sample_picture import encode_jpeg
import numpy as np
import numpy.typing as npt

LONGEST_SIDE = 960
"""Maximum width and height of the picture shown, pixels; a larger one takes longer to encode."""

LEAST_WIDTH = 320
"""Minimum width of an annotated picture, pixels, so that the text below fits."""

# Heights and distances in the strip below the picture, pixels.
_STRIP_HEIGHT = 64
_BAR_TOP = 35
_MARGIN = 10
# JPEG quality, 0 to 100.
_QUALITY = 85
_FONT = cv2.FONT_HERSHEY_SIMPLEX

# Colours are in the order blue, green, red.
_BACKGROUND = (32, 32, 32)
_TEXT = (255, 255, 255)
_FAINT_TEXT = (190, 190, 190)
_EMPTY_BAR = (80, 80, 80)
_KNOWN = (90, 190, 60)
_UNKNOWN = (40, 140, 240)

_RATE_WINDOW_S = 2.0


@dataclass(frozen=True)
class Annotation:
    """
    The text to show below a picture, and the region to outline in it.

    Args:
        label: label of the classification.
        score: confidence of the classification, 0 to 1.
        unknown: whether the picture is classified as unknown.
        model_version: number of the model version; 0 = a model file outside the data folder.
        frames_per_second: rate of classifications, Hz; None = unknown.
        region: the classified part of the picture; None = no outline.
    """

    label: str
    score: float
    unknown: bool
    model_version: int
    frames_per_second: float | None = None
    region: Region | None = None


class FrameRate:
    """
    Measures the frame rate over the last two seconds; not thread-safe.

    >>> rate = FrameRate()
    >>> [rate.add(now) for now in (10.0, 10.5, 11.0)]
    [None, 2.0, 2.0]
    """

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def add(self, now: float) -> float | None:
        """
        Count a frame, and return the frame rate.

        Args:
            now: time of the frame, seconds of :func:`time.monotonic`.

        Returns:
            Frames per second; None if there was no earlier frame in the last two seconds.
        """
        self._times.append(now)
        while now - self._times[0] > _RATE_WINDOW_S:
            self._times.popleft()
        span = now - self._times[0]
        return (len(self._times) - 1) / span if span > 0.0 else None


def annotated_jpeg(rgb: RgbArray, annotation: Annotation) -> bytes:
    """
    Return the JPEG file of an annotated picture.

    Args:
        rgb: the picture, uint8 ``[H, W, 3]``; not modified.
        annotation: the text and the region.
    """
    return encode_jpeg(annotate(rgb, annotation), _QUALITY)


def annotate(rgb: RgbArray, annotation: Annotation) -> npt.NDArray[np.uint8]:
    """
    Return an annotated picture.

    The picture is scaled to a size for viewing, and the region is outlined.  A strip below shows
    the label, its score as a number and as a bar and, if known, the model version and the frame
    rate.

    Args:
        rgb: the picture, uint8 ``[H, W, 3]``; not modified.
        annotation: the text and the region.

    Returns:
        uint8 ``[h, w, 3]`` in the order blue, green, red.
    """
    height, width = rgb.shape[:2]
    scale = min(LONGEST_SIDE / max(height, width), max(1.0, LEAST_WIDTH / width))
    shown_width, shown_height = max(1, round(width * scale)), max(1, round(height * scale))
    size = shown_height + _STRIP_HEIGHT, max(shown_width, LEAST_WIDTH), 3
    canvas = np.full(size, _BACKGROUND, np.uint8)
    left = (canvas.shape[1] - shown_width) // 2
    right = left + shown_width
    method = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
    if rgb.shape[:2] == (1, 1):
        rgb = np.repeat(rgb, 2, axis=1)  # OpenCV 4.5.4 cannot resize 1 x 1 pixels
    shown = cv2.resize(rgb, (shown_width, shown_height), interpolation=method)
    picture = cv2.cvtColor(shown, cv2.COLOR_RGB2BGR)
    colour = _UNKNOWN if annotation.unknown else _KNOWN
    if (region := annotation.region) is not None:
        first = round(region.x * scale), round(region.y * scale)
        last_x = round((region.x + region.width) * scale) - 1
        last_y = round((region.y + region.height) * scale) - 1
        cv2.rectangle(picture, first, (last_x, last_y), colour, thickness=2)
    canvas[:shown_height, left:right] = picture
    _write(canvas[shown_height:], annotation, colour)
    return canvas


def _write(
    strip: npt.NDArray[np.uint8], annotation: Annotation, colour: tuple[int, int, int]
) -> None:
    width = strip.shape[1]
    percent = f'{100 * annotation.score:.0f} %'
    right = width - _MARGIN - _text_width(percent, 0.6, 1)
    label = _fitting(printable(annotation.label), right - 2 * _MARGIN, 0.7, 2)
    cv2.putText(strip, label, (_MARGIN, 24), _FONT, 0.7, _TEXT, 2, cv2.LINE_AA)
    # Clear the space for the number, because OpenCV 5.0 draws long labels wider than it measures.
    begin = right - _MARGIN
    strip[:_BAR_TOP, begin:] = _BACKGROUND
    cv2.putText(strip, percent, (right, 24), _FONT, 0.6, _TEXT, 1, cv2.LINE_AA)
    end = width - _MARGIN
    filled = round(_MARGIN + min(max(annotation.score, 0.0), 1.0) * (end - _MARGIN))
    strip[_BAR_TOP:43, _MARGIN:end] = _EMPTY_BAR
    strip[_BAR_TOP:43, _MARGIN:filled] = colour
    facts = [f'model {annotation.model_version}'] if annotation.model_version else []
    if annotation.frames_per_second is not None:
        facts.append(f'{annotation.frames_per_second:.1f} fps')
    cv2.putText(strip, '   '.join(facts), (_MARGIN, 58), _FONT, 0.45, _FAINT_TEXT, 1, cv2.LINE_AA)


def _fitting(text: str, width: int, size: float, thickness: int) -> str:
    """Return the text, truncated to a maximum width in pixels."""
    if _text_width(text, size, thickness) <= width:
        return text
    while text and _text_width(f'{text}...', size, thickness) > width:
        text = text[:-1]
    return f'{text}...'


def _text_width(text: str, size: float, thickness: int) -> int:
    return int(cv2.getTextSize(text, _FONT, size, thickness)[0][0])


def printable(text: str) -> str:
    """
    Return a text as ASCII, because OpenCV's fonts have no other characters.

    Accents are removed, and variants of ASCII characters, such as full-width letters, become
    ASCII.  Every other character outside printable ASCII becomes a question mark.

    >>> printable('Café 猫')
    'Cafe ?'
    """
    parts = unicodedata.normalize('NFKD', text)
    letters = [letter for letter in parts if not unicodedata.combining(letter)]
    return ''.join(letter if ' ' <= letter <= '~' else '?' for letter in letters)
