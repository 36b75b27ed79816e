# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""FrameLoss: estimates how many images are lost between a camera's publisher and this node."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

WINDOW_S = 5.0
"""How long after its arrival an image counts in the estimate, seconds."""

REPORTED_SHARE = 0.02
"""Share of lost images, 1 in 50, above which the loss is reported as a problem."""

_FEWEST_IMAGES = 8
_FEWEST_LOST = 2
_LARGEST_JITTER = 0.25
_IRREGULAR_SHARE = 0.1
_STEADY_GAPS = 5


class FrameLoss:
    """
    Estimates the share of images that were published but did not arrive.

    If there is one publisher, and the middleware numbers its messages (Fast DDS does), missing
    numbers are counted.  Otherwise, the stamps are used: in a periodic stream, a lost image leaves
    a gap of a multiple of the camera's period.  A gap counts only if images at the usual period
    precede and follow it.  Five or more equal gaps in a row do not count, because a camera that
    has become slower loses no images.  If the stamps have no period, as with a triggered camera,
    the estimate is 0.
    """

    def __init__(self) -> None:
        self._images: deque[tuple[float, float, int | None]] = deque()

    def arrived(self, stamp_s: float, sequence_number: int | None, now: float) -> None:
        """
        Record the arrival of an image.

        Args:
            stamp_s: stamp of the image, seconds.
            sequence_number: publication sequence number of the image; None if it is not known.
            now: the current time, seconds of :func:`time.monotonic`.
        """
        self._images.append((now, stamp_s, sequence_number))
        self._forget(now)

    def share(self, now: float, *, numbered: bool = True) -> float:
        """
        Return the estimated share of lost images, 0 to 1.

        The estimate is 0 if there are too few images, or if only one image is missing.

        Args:
            now: the current time, seconds of :func:`time.monotonic`.
            numbered: whether all sequence numbers come from one publisher.
        """
        self._forget(now)
        numbers = [number for _, _, number in self._images if number is not None]
        if numbered and len(numbers) == len(self._images):
            lost = _missing_numbers(numbers)
        elif len(self._images) >= _FEWEST_IMAGES:
            lost = _missing_by_stamps([stamp for _, stamp, _ in self._images])
        else:
            return 0.0
        # Count the lost images as well: if most are lost, few arrive within the window.
        if lost < _FEWEST_LOST or lost + len(self._images) < _FEWEST_IMAGES:
            return 0.0
        return lost / (lost + len(self._images) - 1)

    def _forget(self, now: float) -> None:
        while self._images and now - self._images[0][0] > WINDOW_S:
            self._images.popleft()


def _missing_numbers(numbers: Sequence[int]) -> int:
    """Count the numbers that are missing between received sequence numbers."""
    # A restarted publisher counts from 1 again, which is not a loss.
    steps = (later - earlier for earlier, later in pairwise(numbers))
    return sum(step - 1 for step in steps if step > 0)


def _missing_by_stamps(stamps: Sequence[float]) -> int:
    """
    Count the images that are missing in a periodic stream; 0 if the stamps have no period.

    Args:
        stamps: stamps of the images, seconds, in order of arrival.

    >>> _missing_by_stamps([0.0, 0.1, 0.2, 0.4, 0.5, 0.8, 0.9, 1.0, 1.1])
    3
    """
    steps = [later - earlier for earlier, later in pairwise(stamps)]
    if min(steps) <= 0.0:
        return 0
    # Use the second shortest step, because one image may come early and make one step short.
    second_shortest = sorted(steps)[1]
    period = median(step for step in steps if step < 1.5 * second_shortest)
    multiples = [_multiple(step / period) for step in steps]
    if multiples.count(0) > _IRREGULAR_SHARE * len(steps):
        return 0
    usual = [index for index, multiple in enumerate(multiples) if multiple == 1]
    # The median of an even number of steps can be near none of them.
    if not usual:
        return 0
    first, last = usual[0], usual[-1]
    return sum(multiple - 1 for multiple in _without_steady_gaps(multiples[first:last]))


def _multiple(periods: float) -> int:
    """Return the nearest whole number of periods, at least 1; 0 if none is near enough."""
    nearest = max(1, round(periods))
    return nearest if abs(periods - nearest) < _LARGEST_JITTER else 0


def _without_steady_gaps(multiples: Sequence[int]) -> list[int]:
    """Return the multiples without 0 (irregular steps) and without long runs of equal gaps."""
    kept: list[int] = []
    row: list[int] = []
    for multiple in [*filter(None, multiples), 0]:
        if row and multiple != row[0]:
            kept += row if row[0] == 1 or len(row) < _STEADY_GAPS else []
            row = []
        row.append(multiple)
    return kept
