# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""RecordingLog: one line for the requests that store a recording frame by frame."""

from __future__ import annotations

from typing import Any

SAME_S = 10.0
"""Maximum time between two requests of which the second one continues the first, seconds."""


class RecordingLog:
    """
    Chooses the requests of ``~/add_samples`` that are logged.

    While a button is held, the page or the gamepad node requests one frame after another, with the
    same recording and label.  Only the first of these requests that adds a sample is logged.

    >>> from types import SimpleNamespace as Message
    >>> frame = Message(recording='page 1', label='cat', count=1)
    >>> added, near_copy = Message(added=1, message='Added'), Message(added=0, message='None')
    >>> log = RecordingLog()
    >>> [log.line(frame, each, now=0.0) for each in (near_copy, added, added)]
    ['', "Added Further requests of the recording 'page 1' are not logged.", '']
    """

    def __init__(self) -> None:
        self._latest: dict[tuple[str, str], float] = {}

    def line(self, request: Any, response: Any, now: float) -> str:
        """
        Return the line to log about a successful request; '' = none.

        Args:
            request: the request.
            response: its response.
            now: the current time, seconds of :func:`time.monotonic`.
        """
        message: str = response.message
        if not request.recording or request.count != 1:
            return message
        since = now - SAME_S
        self._latest = {each: last for each, last in self._latest.items() if last >= since}
        recording = request.recording, request.label
        is_first = recording not in self._latest
        if is_first and not response.added:
            return ''
        self._latest[recording] = now
        if not is_first:
            return ''
        return f'{message} Further requests of the recording {request.recording!r} are not logged.'
