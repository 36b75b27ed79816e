# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Captures: the pending requests for samples from live frames."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
import math
import threading

from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.node.samples.sample_requests import AddRequest

MAX_UNSETTLED = 16
"""
Maximum number of unsettled claims (see :class:`Captures`), at which no more frames are claimed.

Each claim may keep the pixels of a frame in memory.
"""


@dataclass(eq=False)
class Capture:
    """
    A request for samples of a class from the frames of one or all cameras.

    Not thread-safe; :class:`Captures` does the locking.

    Args:
        wanted: the checked request.
        since: time of the request, seconds of :func:`time.monotonic`; frames that arrived before
            are ignored.
    """

    wanted: AddRequest
    since: float
    claimed: int = field(default=0, init=False)
    """Number of claimed frames, settled or not."""
    settled: int = field(default=0, init=False)
    """Number of settled claims: the frame was stored or skipped, or storing it failed."""
    stored: int = field(default=0, init=False)
    """Number of frames stored as samples; these are on disk."""
    skipped: int = field(default=0, init=False)
    """Number of frames that were not stored, because they are near copies of samples."""
    first_sample: int = field(default=0, init=False)
    """Id of the first stored sample, or 0; the store groups the samples of a request by it."""
    stopped: bool = field(default=False, init=False)
    """Whether the request was stopped, so that it claims no more frames."""
    error: BaseException | None = field(default=None, init=False)
    """The first error, which ends the request; None if there was no error."""
    done: Future[None] = field(default_factory=Future, init=False)
    """Completed when the request ends: with None, or with ``error``."""
    last_claimed: float = field(default=-math.inf, init=False)
    """Time of the last claimed frame, as passed to :meth:`wants`, seconds; -inf = none."""

    @property
    def is_over(self) -> bool:
        """Whether the request has all its samples, or was stopped."""
        return self.stopped or self.stored >= self.wanted.count

    def wants(self, frame: Frame, now: float) -> bool:
        """
        Return whether the request would claim a frame.

        Args:
            frame: the frame.
            now: time of the frame, seconds: the simulated time, or the frame's time of arrival.
        """
        return (
            not self.stopped
            and self.stored + self.claimed - self.settled < self.wanted.count
            and self.wanted.camera in ('', frame.camera)
            and frame.arrived >= self.since
            and now - self.last_claimed >= self.wanted.min_interval_s
        )

    def fail(self, error: BaseException) -> None:
        """Stop the request, and set its error unless an earlier error is set."""
        self.error = self.error or error
        self.stopped = True


class Captures:
    """
    The pending requests for samples; thread-safe.

    Once the embedding of a frame is computed, each request that wants the frame claims it.  The
    caller settles each claim when the frame is stored or skipped, or storing it has failed.  If
    the frame is skipped, the request claims another frame instead.  A request ends when it is
    complete, stopped or failed, and all of its claims are settled.

    Args:
        simulated_time: returns the simulated time, seconds, or None to use each frame's time of
            arrival.
    """

    def __init__(self, simulated_time: Callable[[], float | None] = lambda: None) -> None:
        self._simulated_time = simulated_time
        self._lock = threading.Lock()
        self._pending: list[Capture] = []
        self._unsettled = 0

    def add(self, capture: Capture) -> None:
        """Add a request; it claims frames from now on."""
        with self._lock:
            self._pending.append(capture)

    def wants(self, frame: Frame) -> bool:
        """Return whether any request would claim a frame."""
        with self._lock:
            return bool(self._claimants(frame, self._time_of(frame)))

    def claim(self, frame: Frame) -> list[Capture]:
        """
        Claim a frame for all requests that want it.

        Returns:
            The requests; the caller must settle the claim of each request.
        """
        with self._lock:
            now = self._time_of(frame)
            claimants = self._claimants(frame, now)
            for capture in claimants:
                capture.claimed += 1
                capture.last_claimed = now
            self._unsettled += len(claimants)
            return claimants

    def settle(self, capture: Capture, sample: int, error: BaseException | None = None) -> None:
        """
        Settle a claim.

        Args:
            capture: the request.
            sample: id of the stored sample; 0 = none was stored.
            error: why storing failed; the request then fails.  None = the frame was stored or
                skipped.
        """
        with self._lock:
            self._unsettled -= 1
            capture.settled += 1
            if error is not None:
                capture.fail(error)
            else:
                capture.stored += bool(sample)
                capture.skipped += not sample
                capture.first_sample = capture.first_sample or sample
        self._end_if_done(capture)

    def end_all(self, error: BaseException) -> None:
        """Fail all requests with an error; each ends when its claims are settled."""
        with self._lock:
            pending = list(self._pending)
        for capture in pending:
            self.end(capture, error)

    def end(self, capture: Capture, error: BaseException) -> None:
        """Fail a request with an error; it ends when its claims are settled."""
        with self._lock:
            capture.fail(error)
        self._end_if_done(capture)

    def stop(self, capture: Capture) -> None:
        """Claim no more frames for a request; it ends when its claims are settled."""
        with self._lock:
            capture.stopped = True
        self._end_if_done(capture)

    def _time_of(self, frame: Frame) -> float:
        simulated = self._simulated_time()
        return frame.arrived if simulated is None else simulated

    def _claimants(self, frame: Frame, now: float) -> list[Capture]:
        # The claims of one frame may exceed the maximum, because they share the frame's pixels.
        if self._unsettled >= MAX_UNSETTLED:
            return []
        return [capture for capture in self._pending if capture.wants(frame, now)]

    def _end_if_done(self, capture: Capture) -> None:
        with self._lock:
            is_over = capture.is_over and capture.settled == capture.claimed
            if capture not in self._pending or not is_over:
                return
            self._pending.remove(capture)
        # Completing the future calls its callbacks, which must not run under the lock.
        if capture.error is None:
            capture.done.set_result(None)
        else:
            capture.done.set_exception(capture.error)
