# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Holds: stores samples while a user holds the button of a class on a page.

A hold begins when the button is pressed, and ends when the button is released.  Meanwhile, the
server requests single frames from the node, one after another, so at most one frame is stored
after the release.  If the page does not confirm a hold for ``SILENCE_S``, the hold ends.
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
from edgetpu_retrain.wording import sentence, TIME_IS_UP

SILENCE_S = 1.0
"""A hold ends if its page does not confirm it for this time, seconds."""

MAX_HOLDS = 4
"""Maximum number of buttons that are held on a page at a time."""

# Time limit of a request for one frame, seconds.  If the camera does not move, all frames are near
# copies, which the node skips until the time limit.  A frame may be stored up to this time after
# the release.
_FRAME_S = 0.3


@dataclass
class _Hold:
    """A held button, and how many frames were stored and skipped."""

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
        """Return the message for the page, with the current numbers and ``more`` fields."""
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
        """Update the numbers from a response of ``~/add_samples``, and set the problem."""
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
            fields: the page's message: ``hold`` (a new number), ``label``, and ``camera`` ('' =
                the next frames of any camera).

        Raises:
            RefusedError: if the message is invalid, the number is in use, or too many buttons are
                held.
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
        """Record that a button is still held; do nothing if the hold has ended."""
        if (hold := self._held.get(number(fields, 'hold'))) is not None:
            hold.confirmed = time.monotonic()

    def release(self, fields: dict[str, Any]) -> None:
        """End a hold after its current frame; do nothing if the hold has ended."""
        if (hold := self._held.get(number(fields, 'hold'))) is not None:
            hold.is_released = True

    async def close(self) -> None:
        """End all holds of the page at once."""
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
        """Store frames until the hold ends, and return the reason for its end."""
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
        Store the next frame that is not a near copy, if one arrives within the time limit.

        Raises:
            RetrainError: if the node rejects the request, or does not respond.
        """
        try:
            response = await self._robot.call(
                RetrainClient.add_samples,
                hold.label,
                camera=hold.camera,
                timeout_s=_FRAME_S,
                recording=hold.recording,
            )
        except RetrainClientError as error:
            # That no frame arrived until the time limit does not end the hold.
            if not str(error).startswith(TIME_IS_UP):
                raise
            hold.count(error.response, sentence(error))
        else:
            hold.count(response)
