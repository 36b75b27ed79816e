# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.node.classifications.smoothing import (
    predict,
    Prediction,
    Smoothing,
    UNKNOWN_CLASS,
)
import numpy as np
import pytest


def frame(*scores: float, unknown: bool = False) -> Prediction:
    return predict(np.array(scores, np.float32), unknown=unknown)


def classes(frames: list[Prediction], *, over: int, hysteresis: float = 0.0) -> list[int]:
    smoothing = Smoothing()
    return [
        smoothing.add(each, model_version=1, frames=over, hysteresis=hysteresis).best
        for each in frames
    ]


def test_one_frame_is_not_smoothed() -> None:
    frames = [frame(0.9, 0.1), frame(0.2, 0.8), frame(0.4, 0.6, unknown=True)]
    smoothing = Smoothing()
    for each in frames:
        assert smoothing.add(each, model_version=1, frames=1, hysteresis=0.5) is each
    assert [each.best for each in frames] == [0, 1, UNKNOWN_CLASS]


def test_the_scores_are_the_mean_of_the_last_frames() -> None:
    smoothing = Smoothing()
    for scores in ((1.0, 0.0), (0.5, 0.5), (0.0, 1.0), (0.2, 0.8)):
        prediction = smoothing.add(frame(*scores), model_version=1, frames=2, hysteresis=0.0)
    np.testing.assert_allclose(prediction.scores, [0.1, 0.9], atol=1e-6)
    assert prediction.best == 1


def test_a_single_outlier_does_not_change_the_class() -> None:
    frames = [frame(0.9, 0.1)] * 4 + [frame(0.1, 0.9)] + [frame(0.9, 0.1)] * 4
    assert classes(frames, over=5) == [0] * 9


def test_the_class_changes_only_if_another_leads_by_the_margin() -> None:
    border = [frame(0.52, 0.48), frame(0.44, 0.56), frame(0.44, 0.56), frame(0.56, 0.44)] * 5
    assert len(set(classes(border, over=2))) == 2, 'it alternates'
    assert set(classes(border, over=2, hysteresis=0.2)) == {0}
    decided = [*border, *[frame(0.1, 0.9)] * 4]
    assert classes(decided, over=2, hysteresis=0.2)[-1] == 1


@pytest.mark.parametrize(('unknown_frames', 'expected'), [(1, 0), (4, UNKNOWN_CLASS)])
def test_unknown_frames_contribute_to_the_mean(unknown_frames: int, expected: int) -> None:
    known = [frame(0.8, 0.2)] * (5 - unknown_frames)
    unknown = [frame(0.55, 0.45, unknown=True)] * unknown_frames
    assert classes([*known, *unknown], over=5)[-1] == expected


def test_an_unknown_frame_scores_at_least_as_high_as_its_best_class() -> None:
    assert frame(0.9, 0.1, unknown=True).unknown_score == pytest.approx(0.9)
    assert frame(0.3, 0.25, 0.45, unknown=True).unknown_score == pytest.approx(0.55)
    assert frame(0.9, 0.1).unknown_score == 0.0


def test_models_and_window_lengths_are_not_mixed() -> None:
    smoothing = Smoothing()
    smoothing.add(frame(1.0, 0.0), model_version=1, frames=5, hysteresis=1.0)
    swapped = smoothing.add(frame(0.0, 0.1, 0.9), model_version=2, frames=5, hysteresis=1.0)
    assert swapped.best == 2
    np.testing.assert_allclose(swapped.scores, [0.0, 0.1, 0.9], atol=1e-6)
    for _ in range(5):
        smoothing.add(frame(0.0, 0.1, 0.9), model_version=2, frames=5, hysteresis=0.0)
    shorter = smoothing.add(frame(0.0, 1.0, 0.0), model_version=2, frames=2, hysteresis=0.0)
    np.testing.assert_allclose(shorter.scores, [0.0, 0.55, 0.45], atol=1e-6)
