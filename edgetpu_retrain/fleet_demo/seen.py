# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Seen: the results of the demonstration, and which expected ones are missing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

PASS_MARK = 0.5
"""
Share of the classified frames of an exam that must be classified correctly.

With at most 16 samples of a class, a robot classifies 7 to 12 of 12 new views correctly.
"""


@dataclass(frozen=True)
class Score:
    """
    The score of a short exam in one subject.

    Args:
        right: number of frames that were classified as the subject.
        frames: number of frames that were classified.
        heard: the most frequent class among the classifications; '' = there were none.
    """

    right: int
    frames: int
    heard: str = ''

    @property
    def passed(self) -> bool:
        """Whether enough frames were classified correctly."""
        return self.frames > 0 and self.right >= PASS_MARK * self.frames


Scores = dict[str, dict[str, Score]]
"""Scores by robot and subject."""


@dataclass
class Seen:
    """
    The results of the demonstration; a default value = not measured yet.

    Args:
        samples: number of samples that each robot was taught, by robot.
        shared: scores of all robots in the subjects that the robots were taught first.
        new_class: the class that one robot was taught while another was offline.
        new_class_s: seconds from the last sample of the new class until another robot classified
            the class correctly.
        new_class_scores: scores of the connected robots in the new class, after that time.
        offline: score of the offline robot in the new class, by robot.
        caught_up_s: seconds from the reconnection of the robot that was offline until it
            classified the new class correctly.
        caught_up_scores: scores of all robots in the new class, and in the class that the offline
            robot was taught meanwhile.
        same_model: whether all robots then served the same model, byte for byte.
        noticed: what members reported about the wrong teacher's samples.
        meanwhile: scores of the other robots in the subject and the class that the wrong teacher
            confused, before the revocation.
        forgotten: by robot, whether its model is again the one from before the wrong samples, byte
            for byte.
        corrected: the scores as in ``meanwhile``, after the revocation.
        seconds: duration of the course.
    """

    samples: dict[str, int] = field(default_factory=dict)
    shared: Scores = field(default_factory=dict)
    new_class: str = ''
    new_class_s: float | None = None
    new_class_scores: Scores = field(default_factory=dict)
    offline: dict[str, Score] = field(default_factory=dict)
    caught_up_s: float | None = None
    caught_up_scores: Scores = field(default_factory=dict)
    same_model: bool | None = None
    noticed: list[str] = field(default_factory=list)
    meanwhile: Scores = field(default_factory=dict)
    forgotten: dict[str, bool] = field(default_factory=dict)
    corrected: Scores = field(default_factory=dict)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the results as values for JSON; 'missing' is the result of :meth:`missing`."""
        return {**asdict(self), 'missing': self.missing()}

    def missing(self) -> list[str]:
        """Return a sentence for each expected result that is missing."""
        found = [
            *_failed(self.shared, 'what was taught at one robot'),
            *_failed(self.new_class_scores, 'the new class'),
            *_failed(self.caught_up_scores, 'what was taught while a robot was offline'),
            *_failed(self.corrected, 'what was taught wrong, after the revocation'),
        ]
        if self.new_class_s is None:
            found.append('no other robot learned the new class')
        if not self.offline or any(
            score.passed or not score.frames for score in self.offline.values()
        ):
            found.append('the robot that was offline knew the new class, or was not asked')
        if self.caught_up_s is None:
            found.append('the robot that was offline did not catch up')
        if not self.same_model:
            found.append('the robots did not arrive at the same head')
        if not self.noticed:
            found.append('nobody noticed the wrong teacher')
        if not self.forgotten or not all(self.forgotten.values()):
            found.append('the wrong teacher was not forgotten byte for byte')
        return found


def _failed(scores: Scores, what: str) -> list[str]:
    if not scores:
        return [f'no robot was examined in {what}']
    return [
        f'{robot} classified {score.right} of {score.frames} frames of {subject} correctly'
        for robot, subjects in scores.items()
        for subject, score in subjects.items()
        if not score.passed
    ]
