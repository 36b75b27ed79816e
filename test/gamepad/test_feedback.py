# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Rumble and light, with a clock of the test."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.gamepad.feedback import FAILED, Feedback, STORED
import pytest
from sensor_msgs.msg import JoyFeedback


def test_a_pulse_ends_when_it_is_over() -> None:
    sent: list[Any] = []
    now = [5.0]
    feedback = Feedback(sent.append, lambda: now[0])
    feedback.check()
    feedback.rumble(STORED)
    now[0] += STORED.seconds / 2.0
    feedback.check()
    assert [each.intensity for each in sent] == [pytest.approx(STORED.intensity)]
    feedback.rumble(FAILED)
    now[0] += FAILED.seconds
    feedback.check()
    feedback.check()
    assert [each.intensity for each in sent[1:]] == [1.0, 0.0]
    assert {each.type for each in sent} == {JoyFeedback.TYPE_RUMBLE}


def test_the_led_is_on_during_a_capture() -> None:
    sent: list[Any] = []
    feedback = Feedback(sent.append, lambda: 0.0)
    feedback.light(on=True)
    feedback.light(on=False)
    assert [(each.type, each.intensity) for each in sent] == [
        (JoyFeedback.TYPE_LED, 1.0),
        (JoyFeedback.TYPE_LED, 0.0),
    ]
