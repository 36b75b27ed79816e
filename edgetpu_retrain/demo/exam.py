# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The score of the exam: true classes and classifications, matched by the stamp of the frame.

The camera and the node are separate processes, so the true class and the classification of a frame
may arrive in either order.  A frame without classification counts as wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
import statistics


@dataclass(frozen=True)
class FrameResult:
    """
    The node's classification of one frame.

    Args:
        label: name of the most likely class.
        confidence: score of this class, 0 to 1.
        received_s: time of arrival, seconds on a monotonic clock.
        latency_s: time from the frame's stamp to arrival, seconds.
    """

    label: str
    confidence: float
    received_s: float
    latency_s: float


@dataclass(frozen=True)
class ExamFrame:
    """
    One frame of the exam.

    Args:
        stamp_ns: stamp of the image, nanoseconds.
        truth: name of the true class.
        result: the classification; None = not classified so far.
    """

    stamp_ns: int
    truth: str
    result: FrameResult | None

    @property
    def right(self) -> bool:
        """Whether the frame was classified correctly."""
        return self.result is not None and self.result.label == self.truth


class Exam:
    """
    Collects true classes and classifications, and computes the score.

    Args:
        planned: number of frames in the exam, 1 or more; missing frames count as wrong.

    >>> exam = Exam(planned=2)
    >>> exam.add_result(7, FrameResult('cat', 0.9, received_s=0.0, latency_s=0.01))
    >>> exam.add_truth(7, 'cat')
    >>> exam.classified, exam.accuracy
    (1, 0.5)
    """

    def __init__(self, planned: int) -> None:
        self.planned = planned
        self._truths: dict[int, str] = {}
        self._results: dict[int, FrameResult] = {}

    def add_truth(self, stamp_ns: int, subject: str) -> None:
        """Record the true class of a frame by its stamp in nanoseconds; ignore a repetition."""
        self._truths.setdefault(stamp_ns, subject)

    def add_result(self, stamp_ns: int, result: FrameResult) -> None:
        """Record the result of a frame by its stamp in nanoseconds; ignore a repetition."""
        self._results.setdefault(stamp_ns, result)

    @property
    def frames(self) -> list[ExamFrame]:
        """The frames shown so far, in the order of their stamps."""
        return [
            ExamFrame(stamp, truth, self._results.get(stamp))
            for stamp, truth in sorted(self._truths.items())
        ]

    @property
    def shown(self) -> int:
        """Number of frames shown so far."""
        return len(self._truths)

    @property
    def classified(self) -> int:
        """Number of shown frames that were classified."""
        return len(self._shown_results())

    @property
    def right(self) -> int:
        """Number of shown frames that were classified correctly."""
        return sum(frame.right for frame in self.frames)

    @property
    def accuracy(self) -> float:
        """Share of correctly classified frames, 0 to 1; frames not shown yet count as wrong."""
        return self.right / max(self.planned, self.shown)

    @property
    def complete(self) -> bool:
        """Whether every planned frame was shown and classified."""
        return self.shown >= self.planned and self.classified == self.shown

    @property
    def frames_per_second(self) -> float:
        """Rate of classifications, Hz; 0 if there are fewer than two."""
        received = [result.received_s for result in self._shown_results()]
        seconds = max(received, default=0.0) - min(received, default=0.0)
        return (len(received) - 1) / seconds if seconds > 0.0 else 0.0

    @property
    def latency_s(self) -> float:
        """Median time from a frame's stamp to its classification, seconds; 0 without any."""
        return statistics.median([each.latency_s for each in self._shown_results()] or [0.0])

    def right_per_subject(self) -> dict[str, tuple[int, int]]:
        """Return the numbers of correctly classified and of all shown frames, by subject."""
        result: dict[str, tuple[int, int]] = {}
        for frame in self.frames:
            right, shown = result.get(frame.truth, (0, 0))
            result[frame.truth] = (right + frame.right, shown + 1)
        return result

    def _shown_results(self) -> list[FrameResult]:
        return [self._results[stamp] for stamp in self._truths.keys() & self._results.keys()]
