# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The exam of a robot, with a simulated camera and node."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
from types import SimpleNamespace
from typing import Any

from edgetpu_retrain.demo.scenes import SCENE_IDLE
from edgetpu_retrain.fleet_demo import robot as robot_module
from edgetpu_retrain.fleet_demo.robot import DemoRobot, EXAM_FRAMES
from edgetpu_retrain.fleet_demo.seen import Score
import pytest

MOST_FRAMES = 10 * EXAM_FRAMES


class Simulated:
    """A camera that shows a cat, and a node that does not classify the first frames."""

    def __init__(self, lost: int) -> None:
        self.node = None
        self._lost = lost
        self._scene = SCENE_IDLE
        self._on_truth: Callable[[Any], None]
        self._on_result: Callable[[Any], None]

    def stage(self, on_truth: Callable[[Any], None], *_: object) -> Simulated:
        self._on_truth = on_truth
        return self

    def client(self, *_: object) -> contextlib.AbstractContextManager[Simulated]:
        return contextlib.nullcontext(self)

    def on_result(self, callback: Callable[[Any], None]) -> None:
        self._on_result = callback

    def show(self, scene: str) -> None:
        self._scene = scene

    def spin_until(self, done: Callable[[], bool], _timeout_s: float) -> bool:
        for number in range(0 if self._scene == SCENE_IDLE else MOST_FRAMES):
            if done():
                break
            header = SimpleNamespace(stamp=SimpleNamespace(sec=number, nanosec=0))
            results = [SimpleNamespace(class_id='cat', score=1.0)]
            classification = SimpleNamespace(header=header, results=results)
            self._on_truth(classification)
            if number >= self._lost:
                self._on_result(SimpleNamespace(header=header, classification=classification))
        return done()

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ('lost', 'score'),
    [
        (0, Score(EXAM_FRAMES, EXAM_FRAMES, 'cat')),
        (EXAM_FRAMES + 2, Score(EXAM_FRAMES, EXAM_FRAMES, 'cat')),
        (MOST_FRAMES, Score(0, 0)),
    ],
    ids=['none', 'of a pause', 'all'],
)
def test_frames_that_are_not_classified_are_not_counted(
    lost: int, score: Score, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated = Simulated(lost)
    monkeypatch.setattr(robot_module, 'Stage', simulated.stage)
    monkeypatch.setattr(robot_module, 'RetrainClient', simulated.client)
    robot = DemoRobot('ada')
    assert robot.examine('cat') == score
    robot.close()
