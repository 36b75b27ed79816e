# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Holds: samples are taken as long as somebody holds a class's button.

A page says that its button is held. The server then asks the node for one frame after the other,
so that at most one more is stored after the button was released, or the phone has vanished.
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

# Time limit of a request for one frame, seconds: a still camera's frames are near copies, which
# are skipped until the limit, and a frame may be stored so long after the button was released.
_FRAME_S = 0.3


@dataclass
class _Hold:
    """A button that is held, and what came of it."""

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
        """Return the numbers so far."""
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
        """Add the response to a request for samples."""
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
            fields: the page's message, with its number of the hold, label and camera ('' = all).

        Raises:
            RefusedError: if the message is wrong, or too many buttons are held.
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
        """Note that a button is still held; a hold that has ended is ignored."""
        if (hold := self._held.get(number(fields, 'hold'))) is not None:
            hold.confirmed = time.monotonic()

    def release(self, fields: dict[str, Any]) -> None:
        """End a hold; one that has ended is ignored."""
        if (hold := self._held.get(number(fields, 'hold'))) is not None:
            hold.is_released = True

    async def close(self) -> None:
        """End all holds: the page has gone."""
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
        Store a frame.

        Raises:
            RetrainError: if no further frame can be stored, either.
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
