# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""PictureSource: the options for decoding the pictures of one camera, topic or folder."""

from __future__ import annotations

from collections.abc import Callable
import threading
from typing import Any

import cv2
from edgetpu_retrain.pictures.pixels import GREY, is_transparent, on_grey
import numpy as np
import numpy.typing as npt

BITS = (8, 16)
"""Smallest and largest number of bits that a 16-bit value can have."""

DARK_FRAMES = 30
"""Number of pictures after which a source of nearly black 16-bit pictures is reported."""

# A picture is nearly black if all its values are below one sixteenth of the range.
_DARK_PARTS = 16
# Usual bit depths of sensors.
_USUAL_BITS = (8, 10, 12, 14, 16)


class PictureSource:
    """
    Options for decoding the pictures of a camera, topic or folder; reports each peculiarity once.

    Thread-safe.

    Args:
        report: called once with each sentence about the source.
        bits: number of bits that a value of a 16-bit picture has; see :data:`BITS`.
        bits_option: name of the parameter or option that sets ``bits``.
    """

    def __init__(
        self,
        report: Callable[[str], object] = lambda _: None,
        bits: int = BITS[1],
        bits_option: str = 'bits',
    ) -> None:
        self._report = report
        self._bits_option = bits_option
        self._lock = threading.Lock()
        self._reported: set[str] = set()
        self._set_bits(bits)

    @property
    def bits(self) -> int:
        """Number of bits that a value of a 16-bit picture has; may be changed at any time."""
        return self._bits

    @bits.setter
    def bits(self, bits: int) -> None:
        if bits != self._bits:
            with self._lock:
                self._set_bits(bits)

    def report_once(self, text: str) -> None:
        """Report a sentence about the source, unless it was reported before."""
        with self._lock:
            if text in self._reported:
                return
            self._reported.add(text)
        self._report(text)

    def opaque(
        self, pixels: npt.NDArray[np.uint8], *, may_be_padding: bool = False
    ) -> npt.NDArray[np.uint8]:
        """
        Return a picture in which alpha can be ignored; transparent pixels are composited on grey.

        Args:
            pixels: ``[H, W, 4]``, the last channel is alpha.
            may_be_padding: see :func:`~edgetpu_retrain.pictures.pixels.is_transparent`.

        Returns:
            ``[H, W, 4]``, in the same order of colours; the same array if nothing is transparent.
        """
        if not is_transparent(pixels, may_be_padding=may_be_padding):
            return pixels
        self.report_once(
            f'transparent pixels of pictures are composited on grey ({GREY}): if their hidden '
            'colours are meant, remove the alpha channel'
        )
        return on_grey(pixels)

    def to_8_bits(self, values: npt.NDArray[Any], colours: int | None = None) -> Any:
        """
        Return a 16-bit picture as 8 bits; the range of :attr:`bits` becomes 0 to 255.

        All pictures are scaled alike, regardless of their content.

        Args:
            values: uint16 ``[H, W]`` or ``[H, W, C]``, in any byte order.
            colours: number of channels before alpha, whose values always have 16 bits; None
                without alpha.

        Returns:
            uint8, of the same shape.
        """
        # OpenCV needs native byte order and aligned rows.
        native = np.require(values, np.dtype(np.uint16), ['ALIGNED'])
        bits = self._bits
        seen = native if colours is None else native[..., :colours]
        self._watch_brightness(seen)
        # With 16 bits, this is what cv_bridge does (vision_opencv, cv_bridge/src/cv_bridge.cpp,
        # toCvCopyImpl).
        scaled = cv2.convertScaleAbs(native, alpha=255.0 / (2**bits - 1))
        if colours is not None and bits != BITS[1]:
            scaled[..., colours] = cv2.convertScaleAbs(
                np.ascontiguousarray(native[..., colours]), alpha=255.0 / 65535.0
            )
        return scaled

    def end(self) -> None:
        """Report nearly black pictures of a source that has fewer than :data:`DARK_FRAMES`."""
        with self._lock:
            text = self._darkness() if 0 < self._count < DARK_FRAMES else ''
        if text:
            self.report_once(text)

    def _set_bits(self, bits: int) -> None:
        self._bits = bits
        self._brightest = self._count = 0

    def _watch_brightness(self, colours: npt.NDArray[np.uint16]) -> None:
        # A source that was bright once uses the whole range, so its dark pictures are really dark.
        if self._count >= DARK_FRAMES or self._is_bright():
            return
        brightest = int(colours.max())
        with self._lock:
            self._brightest = max(self._brightest, brightest)
            self._count += 1
            text = self._darkness() if self._count == DARK_FRAMES else ''
        if text:
            self.report_once(text)

    def _is_bright(self) -> bool:
        return self._brightest * _DARK_PARTS >= 1 << self._bits

    def _darkness(self) -> str:
        """Return a sentence if all pictures so far are nearly black, else ``''``."""
        fitting = next(each for each in _USUAL_BITS if self._brightest < 2**each)
        if self._is_bright() or fitting >= self._bits:
            return ''
        return (
            f'16-bit pictures are nearly black: no value of the first {self._count} is above '
            f'{self._brightest} of {2**self._bits - 1}; set {self._bits_option} to {fitting}, or '
            'to the number of bits of the camera'
        )
