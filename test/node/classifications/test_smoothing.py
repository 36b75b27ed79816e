# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.node.classifications.smoothing import Smoothing
from edgetpu_retrain.runtime.models.prediction import predict, Prediction, UNKNOWN_CLASS
import numpy as np
import pytest


def frame(*scores: float, unknown: bool = False) -> Prediction:
    return predict(np.array(scores, np.float32), unlike_all=unknown)


def with_background(*scores: float, unknown: bool = False) -> Prediction:
    """Return the prediction of a model whose last class is the background."""
    labels = [*map(str, range(len(scores) - 1)), 'background']
    found = np.array(scores, np.float32)
    return predict(found, labels, unlike_all=unknown, background_label='background')


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


def test_the_background_is_unknown_and_its_score_is_averaged() -> None:
    mostly = [with_background(0.2, 0.1, 0.7)] * 3 + [with_background(0.8, 0.1, 0.1)]
    assert classes(mostly, over=4)[-1] == UNKNOWN_CLASS
    seldom = [with_background(0.2, 0.1, 0.7)] + [with_background(0.8, 0.1, 0.1)] * 3
    assert classes(seldom, over=4)[-1] == 0
    smoothing = Smoothing()
    for each in (with_background(0.6, 0.1, 0.3), with_background(0.8, 0.1, 0.1)):
        smoothed = smoothing.add(each, model_version=1, frames=2, hysteresis=0.0)
    np.testing.assert_allclose(smoothed.scores, [0.7, 0.1, 0.0], atol=1e-6)
    assert smoothed.unknown_score == pytest.approx(0.2)
    assert smoothed.background == 2


def test_scores_of_an_unknown_frame_and_of_unknown_add_up_to_1() -> None:
    smoothing = Smoothing()
    for _ in range(2):
        frame_now = with_background(0.5, 0.1, 0.4, unknown=True)
        smoothed = smoothing.add(frame_now, model_version=1, frames=2, hysteresis=0.0)
    assert smoothed.best == UNKNOWN_CLASS
    assert float(smoothed.scores.sum()) + smoothed.unknown_score == pytest.approx(1.0)
    empty = with_background(0.0, 0.0, 1.0)
    smoothed = smoothing.add(empty, model_version=1, frames=2, hysteresis=0.0)
    assert smoothed.unknown_score == pytest.approx(0.75)


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
