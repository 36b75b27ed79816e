# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Requests for samples of live frames, and which of them takes which frame."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
import math
import threading

from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.pictures.region import Region

MAX_ON_THEIR_WAY = 16
"""Frames that wait for the disk, each with its pixels; while it is slow, no more are taken."""


@dataclass(eq=False)
class Capture:
    """
    One request: so many frames of a camera as samples of a class.

    Not thread-safe; :class:`Captures`, which owns it, locks.

    Args:
        label: name of the class.
        camera: whose frames; '' = any camera's.
        count: how many frames.
        min_interval_s: least time between the arrivals of two captured frames, seconds.
        since: frames that arrived before this moment show what was there before the request;
            seconds of :func:`time.monotonic`.
        region: the part of each frame to embed, None = what the camera is used for.
        min_novelty: skip frames nearer than this cosine distance to a sample of the class.
    """

    label: str
    camera: str
    count: int
    min_interval_s: float
    since: float
    region: Region | None = None
    min_novelty: float = 0.0
    claimed: int = field(default=0, init=False)
    """Frames taken: stored, refused or still on their way to the store."""
    stored: int = field(default=0, init=False)
    """Samples that are on the disk."""
    skipped: int = field(default=0, init=False)
    """Frames that were too near to a sample of their class."""
    first_sample: int = field(default=0, init=False)
    """Id of the first sample stored, by which the store knows what was added together."""
    stopped: bool = field(default=False, init=False)
    """No more frames are wanted."""
    done: Future[None] = field(default_factory=Future, init=False)
    """Ends when nothing is on its way any more; with an error when a sample was refused."""

    error: BaseException | None = field(default=None, init=False)
    """Why the request failed; the first reason."""

    def __post_init__(self) -> None:
        self._settled = 0
        self._last_arrival = -math.inf

    def wants(self, frame: Frame) -> bool:
        """Tell whether this request would take a frame."""
        return (
            not self.stopped
            and self.claimed < self.count
            and self.camera in ('', frame.camera)
            and frame.arrived >= self.since
            and frame.arrived - self._last_arrival >= self.min_interval_s
        )

    def claim(self, frame: Frame) -> None:
        """Take a frame."""
        self.claimed += 1
        self._last_arrival = frame.arrived

    def settle(self, sample: int, error: BaseException | None) -> None:
        """Note what became of a claimed frame; an error stops the request."""
        self._settled += 1
        if error is None:
            self.stored += bool(sample)
            self.skipped += not sample
            self.first_sample = self.first_sample or sample
        else:
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Take no more frames and end with an error."""
        self.error = self.error or error
        self.stopped = True

    def is_over(self) -> bool:
        """Tell whether all is known that is going to happen."""
        ended = self.stopped or self.claimed == self.count
        return ended and self._settled == self.claimed

    def end(self) -> None:
        """Tell those who wait for ``done``."""
        if self.error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(self.error)


class Captures:
    """
    The pending requests.  A frame serves all that want it; every method from any thread.

    A frame is claimed once its embedding is there, and each claim is settled once: stored or
    failed.  So a request never ends, not even by its time limit, before it is known what
    became of the frames it took.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[Capture] = []
        # Claims that are not settled.
        self._on_their_way = 0

    def add(self, capture: Capture) -> None:
        """Start to look for frames for a request."""
        with self._lock:
            self._pending.append(capture)

    def wants(self, frame: Frame) -> bool:
        """Tell whether some request would take this frame."""
        with self._lock:
            return bool(self._takers(frame))

    def claim(self, frame: Frame) -> list[Capture]:
        """Return the requests that take this frame; each is to be settled."""
        with self._lock:
            takers = self._takers(frame)
            for capture in takers:
                capture.claim(frame)
            self._on_their_way += len(takers)
            return takers

    def settle(self, capture: Capture, sample: int, error: BaseException | None = None) -> None:
        """
        Tell what became of a claimed frame.

        Args:
            capture: who claimed it.
            sample: id of the sample that is on the disk, 0 when there is none.
            error: None when it is stored or was skipped; else why not, which ends the request.
        """
        with self._lock:
            capture.settle(sample, error)
            self._on_their_way -= 1
        self._end_if_over(capture)

    def end_all(self, error: BaseException) -> None:
        """End all requests with an error, each as soon as those on their way are settled."""
        with self._lock:
            pending = list(self._pending)
            for capture in pending:
                capture.fail(error)
        for capture in pending:
            self._end_if_over(capture)

    def stop(self, capture: Capture) -> None:
        """Take no more frames for a request; it ends when those on their way are settled."""
        with self._lock:
            capture.stopped = True
        self._end_if_over(capture)

    def _takers(self, frame: Frame) -> list[Capture]:
        # Those who want the same frame share its pixels.
        if self._on_their_way >= MAX_ON_THEIR_WAY:
            return []
        return [capture for capture in self._pending if capture.wants(frame)]

    def _end_if_over(self, capture: Capture) -> None:
        with self._lock:
            if capture not in self._pending or not capture.is_over():
                return
            self._pending.remove(capture)
        # Outside the lock: whoever waits for it is called from here.
        capture.end()
