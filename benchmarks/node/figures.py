# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Computes the figures of the node's benchmark from time stamps."""

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
    Publication and arrival of the images of one phase; all times are nanoseconds of one clock.

    Args:
        published: time of each publication, in order; it is also the image's stamp.
        arrived: stamp of an image to the arrival of the image, or of its classification.
    """

    published: Sequence[int]
    arrived: Mapping[int, int]

    def between(self, begin: int, end: int) -> Recording:
        """Return the recording of the images that were published in ``[begin, end)``."""
        published = [stamp for stamp in self.published if begin <= stamp < end]
        return Recording(
            published, {stamp: self.arrived[stamp] for stamp in published if stamp in self.arrived}
        )

    def without_first(self, seconds: float) -> Recording:
        """Return the recording without the images of the first seconds."""
        return self.between(self.published[0] + round(seconds * 1e9), self.published[-1] + 1)

    def latencies_ms(self) -> list[float]:
        """Return the milliseconds from publication to arrival, for images that have one."""
        return [
            (self.arrived[stamp] - stamp) / _MS
            for stamp in self.published
            if stamp in self.arrived
        ]

    def lost(self) -> int:
        """Return the number of images without an arrival."""
        return sum(stamp not in self.arrived for stamp in self.published)

    def published_a_second(self) -> float:
        """Return the images published per second; needs two of them."""
        return 1e9 * (len(self.published) - 1) / (self.published[-1] - self.published[0])

    def arrivals_a_second(self) -> float:
        """Return the arrivals per second; needs two of them."""
        times = sorted(self.arrived.values())
        return 1e9 * (len(times) - 1) / (times[-1] - times[0])

    def longest_gap_periods(self, rate: float) -> float:
        """
        Return the longest time between two arrivals, in periods of the images.

        Args:
            rate: images per second.
        """
        times = sorted(self.arrived.values())
        gaps = (later - earlier for earlier, later in itertools.pairwise(times))
        return max(gaps) / 1e9 * rate


@dataclass(frozen=True)
class Latency:
    """
    The latency that the node adds to a camera's images, milliseconds.

    Args:
        transport: median from the publication of an image to its arrival at the listener.
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
        """Return the latency from single measurements, milliseconds."""
        return cls(
            statistics.median(transport),
            statistics.median(floor),
            percentile(total, 50),
            percentile(total, 99),
        )

    @property
    def added_p50(self) -> float:
        """Median of the total less the medians of transport and bare loop."""
        return self.total_p50 - self.transport - self.floor

    @property
    def added_p99(self) -> float:
        """99th percentile of the total less the same medians."""
        return self.total_p99 - self.transport - self.floor


def lost_to_swaps(during: Recording, otherwise: Recording) -> int:
    """
    Return how many more images were lost because of swaps.

    Args:
        during: the phase with swaps.
        otherwise: a phase without swaps, whose share of lost images is subtracted.
    """
    share = otherwise.lost() / len(otherwise.published)
    return max(0, math.ceil(during.lost() - share * len(during.published)))
