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
"""Minimum and maximum number of significant bits in the values of 16-bit pictures."""

DARK_FRAMES = 30
"""Number of nearly black 16-bit pictures after which a source is reported."""

# A picture is nearly black if all its values are below a sixteenth of the range.
_DARK_PARTS = 16
# Usual bit depths of sensors.
_USUAL_BITS = (8, 10, 12, 14, 16)


class PictureSource:
    """
    The options for decoding the pictures of a source: a camera, topic or folder.

    Anything unusual about the source is reported once.  Thread-safe.

    Args:
        report: called with a sentence about the source.
        bits: number of significant bits in the values of 16-bit pictures; see :data:`BITS`.
        bits_option: name of the parameter or option that sets ``bits``, for the reports.
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
        """Number of significant bits in the values of 16-bit pictures; may be set at any time."""
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
        Composite transparent pixels on grey, so that alpha can be ignored.

        Args:
            pixels: uint8 ``[H, W, 4]``; the last channel is alpha.
            may_be_padding: see :func:`~edgetpu_retrain.pictures.pixels.is_transparent`.

        Returns:
            uint8 ``[H, W, 4]``, with the colours in the order of ``pixels``; ``pixels`` itself if
            nothing is transparent.
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
        Convert a 16-bit picture to 8 bits; the range of :attr:`bits` becomes 0 to 255.

        The scale does not depend on the content of the picture.

        Args:
            values: uint16 ``[H, W]`` or ``[H, W, C]``, in any byte order.
            colours: number of channels before alpha; None = the picture has no alpha.  Alpha is
                converted from its full range of 16 bits.

        Returns:
            uint8, of the shape of ``values``.
        """
        # OpenCV needs native byte order and aligned values.
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
        """Report a nearly black source that ends before :data:`DARK_FRAMES` pictures."""
        with self._lock:
            text = self._darkness() if 0 < self._count < DARK_FRAMES else ''
        if text:
            self.report_once(text)

    def _set_bits(self, bits: int) -> None:
        self._bits = bits
        self._brightest = self._count = 0

    def _watch_brightness(self, colours: npt.NDArray[np.uint16]) -> None:
        # If one picture is not nearly black, the source uses the range, so no report is needed.
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
        """Return a report if all pictures so far are nearly black and fit in fewer bits, or ''."""
        fitting = next(each for each in _USUAL_BITS if self._brightest < 2**each)
        if self._is_bright() or fitting >= self._bits:
            return ''
        return (
            f'16-bit pictures are nearly black: no value of the first {self._count} is above '
            f'{self._brightest} of {2**self._bits - 1}; set {self._bits_option} to {fitting}, or '
            'to the number of bits of the camera'
        )
