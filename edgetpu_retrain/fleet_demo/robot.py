# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""DemoRobot: teaches and examines one robot of the demonstration, as its user would."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
import contextlib
import hashlib
from pathlib import Path
import time
from typing import Any

from edgetpu_retrain.client import RetrainClient
from edgetpu_retrain.demo.exam import Exam, FrameResult
from edgetpu_retrain.demo.scenes import exam_scene, SCENE_IDLE
from edgetpu_retrain.demo.stage import Stage, stamp_ns
from edgetpu_retrain.fleet_demo.seen import Score

EXAM_FRAMES = 12
"""Classified frames of an exam in one subject: more than two camera movements of 5 frames each."""

_SAMPLES_PER_CALL = 8
_SECONDS_PER_CALL = 6.0
_SECONDS_TO_START = 60.0
_SECONDS_FOR_EXAM = 15.0


class DemoRobot:
    """
    Controls the camera and the node of one robot; use it from one thread at a time.

    Args:
        name: name of the robot, which is also its namespace.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._exam = Exam(EXAM_FRAMES)
        self._closing = contextlib.ExitStack()
        self._stage = Stage(self._on_truth, lambda _image: None, f'/{name}')
        self._closing.callback(self._stage.close)
        self._client = self._closing.enter_context(RetrainClient(self._stage.node))
        self._client.on_result(self._on_result)

    def close(self) -> None:
        """Destroy the ROS nodes through which this object controls the robot."""
        self._closing.close()

    def wait_until_ready(self) -> None:
        """Wait for camera and node; raise StageError or RetrainClientError on timeout."""
        self._stage.wait_until_ready(_SECONDS_TO_START)
        self._client.wait_until_ready(_SECONDS_TO_START)

    def teach(self, shown: str, recording: str, label: str = '') -> int:
        """
        Show a subject to the camera, and store samples of it.

        Args:
            shown: the subject.
            recording: name of the recording.
            label: label of the samples; '' = the subject.

        Returns:
            The number of samples that were stored.
        """
        self._stage.show_subject(shown)
        stored = self._client.add_samples(
            label or shown, _SAMPLES_PER_CALL, timeout_s=_SECONDS_PER_CALL, recording=recording
        )
        self._stage.show(SCENE_IDLE)
        return int(stored.added)

    def examine(self, subject: str) -> Score:
        """
        Show new views of a subject to the camera, and return the score of the robot.

        On a busy machine, the node may pause for longer than the planned frames take, so the exam
        goes on until as many are classified.
        """
        exam = self._exam = Exam(EXAM_FRAMES)
        self._stage.show(exam_scene(subject))
        self._stage.spin_until(lambda: exam.classified >= EXAM_FRAMES, _SECONDS_FOR_EXAM)
        self._stage.show(SCENE_IDLE)
        self._stage.spin_until(lambda: exam.classified == exam.shown, 2.0)
        labels = Counter(each.result.label for each in exam.frames if each.result is not None)
        heard = labels.most_common(1)[0][0] if labels else ''
        return Score(exam.right, exam.classified, heard)

    def seconds_until_right(self, subject: str, since: float, timeout_s: float) -> float | None:
        """
        Show views of a subject until one is classified correctly.

        Args:
            subject: the subject.
            since: start of the measurement, as returned by ``time.monotonic()``.
            timeout_s: time limit from now on, seconds.

        Returns:
            Seconds from ``since`` to the first correct classification; None on timeout.
        """
        exam = self._exam = Exam(1)
        self._stage.show(exam_scene(subject))
        self._stage.spin_until(lambda: exam.right > 0, timeout_s)
        self._stage.show(SCENE_IDLE)
        right = [each.result.received_s for each in exam.frames if each.right and each.result]
        return min(right) - since if right else None

    def wait_until(self, is_true: Callable[[], bool], timeout_s: float) -> bool:
        """Wait for a condition while receiving this robot's messages; return False on timeout."""
        return self._stage.spin_until(is_true, timeout_s)

    @property
    def classes(self) -> frozenset[str]:
        """The classes of the serving model; empty before the first training."""
        return frozenset(self._status.model_labels)

    @property
    def version(self) -> int:
        """The version of the serving model; 0 = none."""
        return int(self._status.model_version)

    def model_digest(self) -> str:
        """Return the SHA-256 of the serving model's file, 64 hexadecimal digits; '' = none."""
        path = self._status.model_path
        return hashlib.sha256(Path(path).read_bytes()).hexdigest() if path else ''

    @property
    def _status(self) -> Any:
        return self._client.status

    def _on_truth(self, truth: Any) -> None:
        self._exam.add_truth(stamp_ns(truth.header), truth.results[0].class_id)

    def _on_result(self, result: Any) -> None:
        stamp = stamp_ns(result.header)
        best = result.classification.results[0]
        latency_s = (time.time_ns() - stamp) / 1e9
        now = time.monotonic()
        self._exam.add_result(stamp, FrameResult(best.class_id, best.score, now, latency_s))
