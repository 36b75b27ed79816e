# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of ``benchmarks/node``: from time stamps to its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import itertools
import math
import statistics

from benchmarks.shared.figures import percentile

_MS = 1e6


@dataclass(frozen=True)
class Recording:
    """
    What became of the images of one phase; all times are nanoseconds of one clock.

    Args:
        published: when each image was, in order; the time is also the image's stamp.
        arrived: stamp of an image to the arrival of what was waited for: the image itself, or
            the answer to it.
    """

    published: Sequence[int]
    arrived: Mapping[int, int]

    def between(self, begin: int, end: int) -> Recording:
        """Return what became of the images that were published in ``[begin, end)``."""
        published = [stamp for stamp in self.published if begin <= stamp < end]
        return Recording(
            published, {stamp: self.arrived[stamp] for stamp in published if stamp in self.arrived}
        )

    def without_first(self, seconds: float) -> Recording:
        """Return all but the images of the beginning."""
        return self.between(self.published[0] + round(seconds * 1e9), self.published[-1] + 1)

    def latencies_ms(self) -> list[float]:
        """Return the milliseconds from publication to arrival, of each image that has one."""
        return [
            (self.arrived[stamp] - stamp) / _MS
            for stamp in self.published
            if stamp in self.arrived
        ]

    def lost(self) -> int:
        """Return the number of images that nothing came of."""
        return sum(stamp not in self.arrived for stamp in self.published)

    def published_a_second(self) -> float:
        """Return the rate at which images were published; needs two of them."""
        return 1e9 * (len(self.published) - 1) / (self.published[-1] - self.published[0])

    def arrivals_a_second(self) -> float:
        """Return the rate at which answers arrive; needs two of them."""
        times = sorted(self.arrived.values())
        return 1e9 * (len(times) - 1) / (times[-1] - times[0])

    def longest_gap_periods(self, rate: float) -> float:
        """
        Return the longest time between two arrivals, in periods of the images.

        Args:
            rate: of the images, a second.
        """
        times = sorted(self.arrived.values())
        gaps = (later - earlier for earlier, later in itertools.pairwise(times))
        return max(gaps) / 1e9 * rate


@dataclass(frozen=True)
class Latency:
    """
    What the node adds to a camera's images, milliseconds.

    Args:
        transport: median from the publication of an image to its arrival at an empty subscriber.
        floor: median of the bare loop: resize, invoke and head.
        total_p50: median from the publication of an image to the arrival of its classification.
        total_p99: its 99th percentile.
    """

    transport: float
    floor: float
    total_p50: float
    total_p99: float

    @classmethod
    def of(
        cls, transport: Sequence[float], floor: Sequence[float], total: Sequence[float]
    ) -> Latency:
        """Return the summary of single measurements, milliseconds."""
        return cls(
            statistics.median(transport),
            statistics.median(floor),
            percentile(total, 50),
            percentile(total, 99),
        )

    @property
    def added_p50(self) -> float:
        """Median of what neither the transport nor the bare loop accounts for."""
        return self.total_p50 - self.transport - self.floor

    @property
    def added_p99(self) -> float:
        """99th percentile of the same."""
        return self.total_p99 - self.transport - self.floor


def lost_to_swaps(during: Recording, otherwise: Recording) -> int:
    """
    Return how many images were lost that would not have been lost otherwise.

    Args:
        during: the phase with swaps.
        otherwise: one without, whose share of lost images is what would have been lost anyway.
    """
    share = otherwise.lost() / len(otherwise.published)
    return max(0, math.ceil(during.lost() - share * len(during.published)))
