# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from edgetpu_retrain.runtime.models.prediction import predict, Prediction, UNKNOWN_CLASS
import numpy as np
import pytest

LABELS = ('cat', 'background', 'dog')


def found(*scores: float, labels: tuple[str, ...] = LABELS, **rules: Any) -> Prediction:
    return predict(np.array(scores, np.float32), labels, **rules)


def test_the_best_class_is_predicted() -> None:
    plain = found(0.2, 0.5, 0.3)
    assert (plain.best, plain.unknown_score, plain.is_unknown) == (1, 0.0, False)
    # Scores of other programs' models need not be probabilities.
    assert found(-3.0, -1.0, -2.0).best == 1


def test_an_unknown_picture_scores_at_least_as_high_as_its_best_class() -> None:
    assert found(0.9, 0.1, unlike_all=True).unknown_score == pytest.approx(0.9)
    assert found(0.3, 0.25, 0.45, unlike_all=True).unknown_score == pytest.approx(0.55)
    assert found(0.9, 0.1, unlike_all=True).best == UNKNOWN_CLASS


def test_a_low_score_is_unknown() -> None:
    assert found(0.6, 0.1, 0.3, unknown_below=0.61).is_unknown
    assert not found(0.6, 0.1, 0.3, unknown_below=0.59).is_unknown
    # The score that counts is that of a class, not that of the background.
    assert found(0.3, 0.65, 0.05, unknown_below=0.5, background_label='background').is_unknown


def test_the_background_is_unknown() -> None:
    def with_background(*scores: float, **rules: Any) -> Prediction:
        return found(*scores, background_label='background', **rules)

    empty = with_background(0.3, 0.5, 0.2)
    assert (empty.best, empty.background, empty.is_unknown) == (UNKNOWN_CLASS, 1, True)
    assert empty.unknown_score == pytest.approx(0.7)
    np.testing.assert_allclose(empty.scores, [0.3, 0.0, 0.2])
    cat = with_background(0.5, 0.3, 0.2)
    assert (cat.best, cat.background, cat.is_unknown) == (0, 1, False)
    assert cat.unknown_score == pytest.approx(0.3)
    strange = with_background(0.5, 0.3, 0.2, unlike_all=True)
    assert strange.is_unknown
    assert strange.unknown_score == pytest.approx(0.5)
    assert with_background(-3.0, -4.0, -2.0).best == 2


@pytest.mark.parametrize('background_label', ['', 'table', 'Background'])
def test_another_name_or_none_is_a_class_like_any_other(background_label: str) -> None:
    labels = ('cat', 'background', '')
    plain = found(0.2, 0.3, 0.5, labels=labels, background_label=background_label)
    assert (plain.best, plain.background, plain.unknown_score) == (2, None, 0.0)


def test_the_scores_of_the_model_stay_as_they_are() -> None:
    scores = np.array([0.3, 0.5, 0.2], np.float32)
    predict(scores, LABELS, background_label='background')
    np.testing.assert_allclose(scores, [0.3, 0.5, 0.2])
