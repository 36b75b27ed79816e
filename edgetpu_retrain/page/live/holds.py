# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Holds: samples are taken as long as somebody holds a class's button.

While a page reports a held button, the server requests one frame after the other from the node,
so at most one frame is stored after the release.  If the phone vanishes, the hold ends after
``SILENCE_S``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
import secrets
import time
from typing import Any

from edgetpu_retrain.client import RetrainClient, RetrainClientError
from edgetpu_retrain.errors import RetrainError
from edgetpu_retrain.page.bodies import number, text
from edgetpu_retrain.page.refused import RefusedError
from edgetpu_retrain.page.robot import Robot
from edgetpu_retrain.wording import sentence

SILENCE_S = 1.0
"""A hold ends if its page does not confirm it for this time, seconds."""

MAX_HOLDS = 4
"""Maximum number of buttons that are held on a page at a time."""

# Time limit of a request for one frame, seconds.  The frames of a camera that does not move are
# near copies, which the node skips until the limit; a frame may be stored this long after the
# release.
_FRAME_S = 0.3


@dataclass
class _Hold:
    """A held button, and the numbers of frames that were stored and skipped."""

    number: int
    label: str
    camera: str
    recording: str
    confirmed: float
    is_released: bool = False
    stored: int = 0
    skipped: int = 0
    label_total: int = 0
    problem: str = ''
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    def message(self, **more: Any) -> dict[str, Any]:
        """Return the message for the page, with the numbers so far."""
        return {
            'type': 'hold',
            'hold': self.number,
            'label': self.label,
            'camera': self.camera,
            'stored': self.stored,
            'skipped': self.skipped,
            'label_total': self.label_total,
            'message': self.problem,
            **more,
        }

    def count(self, response: Any, problem: str = '') -> None:
        """Add the numbers of a response of ``~/add_samples``."""
        self.stored += response.added
        self.skipped += response.skipped
        self.label_total = response.label_total
        self.problem = problem


class Holds:
    """
    The buttons that are held on one page.

    Args:
        robot: the robot.
        report: called with each message for the page.
    """

    def __init__(self, robot: Robot, report: Callable[[dict[str, Any]], object]) -> None:
        self._robot = robot
        self._report = report
        self._held: dict[int, _Hold] = {}

    def begin(self, fields: dict[str, Any]) -> None:
        """
        Begin a hold.

        Args:
            fields: the page's message, with the number of the hold, label and camera ('' = all).

        Raises:
            RefusedError: if the message is invalid, or too many buttons are held.
        """
        chosen = number(fields, 'hold')
        if chosen in self._held:
            raise RefusedError(409, f'hold {chosen} has begun already: give each a new number')
        if len(self._held) >= MAX_HOLDS:
            raise RefusedError(429, f'{MAX_HOLDS} buttons are held already: release one')
        label, camera = text(fields, 'label'), text(fields, 'camera', '')
        recording = f'page {time.strftime("%Y-%m-%d %H:%M:%S")} {secrets.token_hex(2)}'
        hold = _Hold(chosen, label, camera, recording, time.monotonic())
        self._held[chosen] = hold
        hold.task = asyncio.get_running_loop().create_task(self._run(hold))

    def confirm(self, fields: dict[str, Any]) -> None:
        """Note that a button is still held; do nothing if the hold has ended."""
        if (hold := self._held.get(number(fields, 'hold'))) is not None:
            hold.confirmed = time.monotonic()

    def release(self, fields: dict[str, Any]) -> None:
        """End a hold; do nothing if it has ended."""
        if (hold := self._held.get(number(fields, 'hold'))) is not None:
            hold.is_released = True

    async def close(self) -> None:
        """End all holds, because the page has gone."""
        tasks = [each.task for each in self._held.values() if each.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, hold: _Hold) -> None:
        try:
            reason = await self._capture(hold)
            self._report(hold.message(ended=True, reason=reason))
        finally:
            del self._held[hold.number]

    async def _capture(self, hold: _Hold) -> str:
        """Store frames until the hold ends, and return why it has ended."""
        while not hold.is_released:
            if time.monotonic() - hold.confirmed > SILENCE_S:
                return 'silent'
            before = hold.stored, hold.skipped, hold.problem
            try:
                await self._store_frame(hold)
            except RetrainError as error:
                hold.problem = sentence(error)
                return 'failed'
            if (hold.stored, hold.skipped, hold.problem) != before:
                self._report(hold.message())
        return 'released'

    async def _store_frame(self, hold: _Hold) -> None:
        """
        Store the next frame, unless none arrives within the time limit or all are near copies.

        Raises:
            RetrainError: if the node rejects the request, or does not respond.
        """
        began = time.monotonic()
        try:
            response = await self._robot.call(
                RetrainClient.add_samples,
                hold.label,
                camera=hold.camera,
                timeout_s=_FRAME_S,
                recording=hold.recording,
            )
        except RetrainClientError as error:
            # The node rejects a request at once; without a frame it waits for the time limit.
            if error.response is None or time.monotonic() - began < _FRAME_S / 2:
                raise
            hold.count(error.response, sentence(error))
        else:
            hold.count(response)
