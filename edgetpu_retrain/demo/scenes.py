# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The scenes of the demo's camera, and the names that the demo's processes share.

The teacher sets the parameter ``scene`` of the camera node.  The camera publishes images, and the
true class of each image with the stamp of the image.  The retrain node does not subscribe to the
true classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from edgetpu_retrain.demo.camera_motion import (
    EXAM,
    glance,
    MotionRanges,
    RgbArray,
    take_picture,
    TEACHING,
)
from edgetpu_retrain.demo.empty_table import empty_table
from edgetpu_retrain.demo.photographs import read_photograph, SUBJECTS
import numpy as np

CAMERA_NODE = 'demo_camera'
# Topics are relative, because each robot of `make fleet-demo` has a camera in its own namespace.
IMAGE_TOPIC = 'demo/image'
TEACHING_TRUTH_TOPIC = 'demo/truth/teaching'
EXAM_TRUTH_TOPIC = 'demo/truth/exam'
RESULT_FILE = 'result.json'
"""Name of the file with the figures in the teacher's output folder."""

SCENE_PARAMETER = 'scene'
SCENE_IDLE = 'idle'
SCENE_EXAM = 'exam'
SCENE_IN_TURN = 'in_turn'
SCENE_TEACHING_PREFIX = 'teaching/'
SCENE_EXAM_PREFIX = 'exam/'

BACKGROUND = 'background'
"""The subject of views of the empty table, which is drawn and not a photograph."""

TAUGHT = (BACKGROUND, *SUBJECTS)
"""The subjects that are taught, in this order."""

FRAMES_PER_TEACHING_GLANCE = 5
FRAMES_PER_EXAM_GLANCE = 10
EXAM_GLANCES_PER_SUBJECT = 4
FRAMES_PER_TURN = 70
"""Number of frames for which ``in_turn`` shows a subject: seven seconds at 10 Hz, enough to teach
it by hand."""
EXAM_FRAMES = len(SUBJECTS) * EXAM_GLANCES_PER_SUBJECT * FRAMES_PER_EXAM_GLANCE


@dataclass(frozen=True)
class Frame:
    """A picture, uint8 ``[height, width, 3]`` RGB, and its subject."""

    picture: RgbArray
    subject: str


def teaching_scene(subject: str) -> str:
    """Return the value of the parameter ``scene`` that shows a subject for teaching."""
    return SCENE_TEACHING_PREFIX + subject


def exam_scene(subject: str) -> str:
    """Return the value of the parameter ``scene`` that shows a subject with the exam's views."""
    return SCENE_EXAM_PREFIX + subject


def play(scene: str, seed: int) -> Iterator[Frame]:
    """
    Return the frames of a scene, which depend only on scene and seed.

    The scenes are:

    - ``idle``: no frames.
    - ``teaching/<subject>`` and ``exam/<subject>``: one subject with the views for teaching or of
      the exam, without end.
    - ``in_turn``: all subjects with the views for teaching, :data:`FRAMES_PER_TURN` frames each,
      over and over again.
    - ``exam``: :data:`EXAM_FRAMES` frames with the views of the exam; the photographs are shown
      equally often, in random order.

    Args:
        scene: value of the parameter ``scene``.
        seed: random seed, 0 or more.

    Raises:
        ValueError: if the scene is unknown or, unless it is ``idle``, the seed is negative.
        FileNotFoundError: if a photograph of the scene is missing or unreadable.
    """
    if scene == SCENE_IDLE:
        return iter(())
    # Read the photographs before a generator is returned, because a generator runs no code until
    # its first frame is requested.
    if scene == SCENE_EXAM:
        photographs = {subject: read_photograph(subject) for subject in SUBJECTS}
        return _exam(photographs, np.random.default_rng((seed, 1)))
    if scene == SCENE_IN_TURN:
        return _in_turn([_one_subject(subject, TEACHING, seed) for subject in TAUGHT])
    for prefix, ranges in ((SCENE_TEACHING_PREFIX, TEACHING), (SCENE_EXAM_PREFIX, EXAM)):
        subject = scene.removeprefix(prefix)
        if subject != scene and subject in TAUGHT:
            return _one_subject(subject, ranges, seed)
    raise ValueError(
        f'scene is {scene!r}; it must be {SCENE_IDLE!r}, {SCENE_EXAM!r}, {SCENE_IN_TURN!r}, or '
        f"'{SCENE_TEACHING_PREFIX}' or '{SCENE_EXAM_PREFIX}' followed by one of "
        f'{", ".join(TAUGHT)}'
    )


def _one_subject(subject: str, ranges: MotionRanges, seed: int) -> Iterator[Frame]:
    photograph = empty_table() if subject == BACKGROUND else read_photograph(subject)
    rng = np.random.default_rng((seed, 0 if ranges is TEACHING else 2, TAUGHT.index(subject)))
    return _without_end(subject, photograph, ranges, rng)


def _without_end(
    subject: str, photograph: RgbArray, ranges: MotionRanges, rng: np.random.Generator
) -> Iterator[Frame]:
    while True:
        for view in glance(ranges, FRAMES_PER_TEACHING_GLANCE, rng):
            yield Frame(take_picture(photograph, view, rng), subject)


def _in_turn(subjects: Sequence[Iterator[Frame]]) -> Iterator[Frame]:
    while True:
        for frames in subjects:
            yield from islice(frames, FRAMES_PER_TURN)


def _exam(photographs: Mapping[str, RgbArray], rng: np.random.Generator) -> Iterator[Frame]:
    glances = [subject for subject in SUBJECTS for _ in range(EXAM_GLANCES_PER_SUBJECT)]
    for index in rng.permutation(len(glances)):
        subject = glances[index]
        for view in glance(EXAM, FRAMES_PER_EXAM_GLANCE, rng):
            yield Frame(take_picture(photographs[subject], view, rng), subject)
