# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Feedback: controls the rumble motor and the LED of a gamepad with JoyFeedback messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import math
from typing import Any

from sensor_msgs.msg import JoyFeedback


@dataclass(frozen=True)
class Pulse:
    """A rumble: its intensity, 0 to 1, and its duration in seconds."""

    intensity: float
    seconds: float


STORED = Pulse(0.3, 0.1)
TRAINED = Pulse(0.6, 0.4)
FAILED = Pulse(1.0, 0.8)


class Feedback:
    """
    Makes a gamepad rumble, and switches its LED.

    A driver may keep the motor on until it receives the intensity 0.  So call :meth:`check`
    repeatedly: it sends 0 at the end of a pulse.

    Args:
        publish: publishes a JoyFeedback; this function must be thread-safe.
        clock: returns the time, seconds.
    """

    def __init__(self, publish: Callable[[Any], object], clock: Callable[[], float]) -> None:
        self._publish = publish
        self._clock = clock
        self._ends_at = math.inf

    def rumble(self, pulse: Pulse) -> None:
        """Start a pulse, which replaces the current one."""
        self._send(JoyFeedback.TYPE_RUMBLE, pulse.intensity)
        self._ends_at = self._clock() + pulse.seconds

    def light(self, *, on: bool) -> None:
        """Switch the LED on or off."""
        self._send(JoyFeedback.TYPE_LED, float(on))

    def check(self) -> None:
        """Stop the rumble if the duration of the pulse is over."""
        if self._clock() >= self._ends_at:
            self._ends_at = math.inf
            self._send(JoyFeedback.TYPE_RUMBLE, 0.0)

    def _send(self, kind: int, intensity: float) -> None:
        self._publish(JoyFeedback(type=kind, id=0, intensity=intensity))
