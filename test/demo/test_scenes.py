# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from collections import Counter
from itertools import islice
from pathlib import Path

from edgetpu_retrain.demo import photographs, scenes
from edgetpu_retrain.demo.photographs import SUBJECTS
from edgetpu_retrain.demo.scenes import (
    EXAM_FRAMES,
    exam_scene,
    play,
    SCENE_EXAM,
    SCENE_IDLE,
    SCENE_IN_TURN,
    TAUGHT,
    teaching_scene,
)
import numpy as np
import numpy.typing as npt
import pytest


def test_the_exam_shows_every_subject_forty_times_in_mixed_order() -> None:
    subjects = [frame.subject for frame in play(SCENE_EXAM, seed=0)]
    assert EXAM_FRAMES == len(subjects) >= 200
    assert Counter(subjects) == dict.fromkeys(SUBJECTS, 40)
    assert subjects != sorted(subjects)


def test_teaching_shows_one_subject_without_end() -> None:
    frames = list(islice(play(teaching_scene('cat'), seed=0), 12))
    assert {frame.subject for frame in frames} == {'cat'}
    assert frames[0].picture.shape == (480, 640, 3)
    pictures = {frame.picture.tobytes() for frame in frames}
    assert len(pictures) == len(frames)


def test_the_exam_of_one_subject_shows_it_without_end_in_views_that_are_not_taught() -> None:
    exam = list(islice(play(exam_scene('cat'), seed=0), 12))
    assert {frame.subject for frame in exam} == {'cat'}
    taught = [frame.picture for frame in islice(play(teaching_scene('cat'), seed=0), 12)]
    assert not {each.picture.tobytes() for each in exam} & {each.tobytes() for each in taught}


def test_in_turn_shows_every_subject_without_end_and_each_time_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scenes, 'FRAMES_PER_TURN', 2)
    frames = list(islice(play(SCENE_IN_TURN, seed=0), 4 * len(TAUGHT)))
    turn = [subject for subject in TAUGHT for _ in range(2)]
    assert [frame.subject for frame in frames] == [*turn, *turn]
    assert len({frame.picture.tobytes() for frame in frames}) == len(frames)


def test_the_same_seed_gives_the_same_frames_and_another_seed_others() -> None:
    def first(seed: int) -> npt.NDArray[np.uint8]:
        return next(play(teaching_scene('rocket'), seed)).picture

    np.testing.assert_array_equal(first(1), first(1))
    assert (first(1) != first(2)).any()


def test_idle_has_no_frames() -> None:
    assert list(play(SCENE_IDLE, seed=0)) == []


@pytest.mark.parametrize(
    'scene', ['', 'teaching', 'teaching/', 'teaching/dog', 'exam/dog', 'cat', 'EXAM']
)
def test_an_unknown_scene_is_rejected_with_the_known_ones(scene: str) -> None:
    with pytest.raises(ValueError, match=r'must be.*idle.*exam.*in_turn.*teaching.*astronaut'):
        play(scene, seed=0)


@pytest.mark.parametrize(
    'scene', [SCENE_EXAM, SCENE_IN_TURN, teaching_scene('cat'), exam_scene('cat')]
)
def test_a_missing_photograph_is_reported_before_the_first_frame(
    scene: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photographs, '_FOLDER', tmp_path)
    with pytest.raises(FileNotFoundError, match=r'cannot read .*\.jpg; reinstall the package'):
        play(scene, seed=0)


@pytest.mark.parametrize('scene', [SCENE_EXAM, SCENE_IN_TURN, teaching_scene('cat')])
def test_a_negative_seed_is_rejected_before_the_first_frame(scene: str) -> None:
    with pytest.raises(ValueError, match='non-negative'):
        play(scene, seed=-1)
