# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

from edgetpu_retrain.learning import Head, UnknownDetector
from edgetpu_retrain.learning.unknown import threshold_for, unknown_scores
import numpy as np
import pytest

WEIGHTS = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]], np.float32)
DETECTOR = UnknownDetector(np.array([1.0, 0.0], np.float32), np.array([2.0, 1.0], np.float32), 0.5)
HEAD = Head(WEIGHTS, np.zeros(3, np.float32), unknown=DETECTOR)


def test_scores_are_evidence_over_length_by_hand() -> None:
    embeddings = np.array([[3.0, 1.0]], np.float32)
    # Logits 3, -2, -1; feature (3 - 1) * 2 = 4 and 1, root mean square sqrt(17 / 2).
    expected = -(3.0 + 0.25 * 4.0) / math.sqrt(8.5)
    assert HEAD.unknown_scores(embeddings) == pytest.approx([expected], rel=1e-5)


def test_the_unknown_score_does_not_depend_on_the_distance_from_the_mean() -> None:
    logits = np.array([[4.0, 1.0], [8.0, 2.0]], np.float32)
    near, far = unknown_scores(logits, np.array([1.0, 2.0], np.float32))
    assert near == pytest.approx(far)


def test_several_blocks_of_embeddings_are_scored_like_one() -> None:
    embeddings = np.random.default_rng(0).random((10_000, 2), dtype=np.float32)
    scores = HEAD.unknown_scores(embeddings)
    assert scores.shape == (10_000,)
    assert scores[9_999] == HEAD.unknown_scores(embeddings[9_999:])[0]


def test_the_threshold_rejects_the_wanted_share_of_known_samples() -> None:
    scores = np.random.default_rng(0).permutation(1000).astype(np.float32)
    assert np.mean(scores > threshold_for(scores, 0.05)) == pytest.approx(0.05, abs=0.0015)
    assert not (scores > threshold_for(scores, 0.0)).any()


def test_independent_samples_are_rejected_at_the_wanted_share() -> None:
    # As spread as the scores of photographs that have little in common: 95 % reach 0.45.
    scores = -np.linspace(0.39, 1.6, 1001, dtype=np.float32)
    for rate in (0.0, 0.05, 0.5):
        rejected = np.mean(scores > threshold_for(scores, rate))
        assert rejected == pytest.approx(rate, abs=0.0015)


def test_the_threshold_of_few_samples_is_the_next_higher_score() -> None:
    scores = np.random.default_rng(0).permutation(20).astype(np.float32)
    assert [threshold_for(scores, rate) for rate in (0.0, 0.05, 0.1, 0.5)] == [19, 19, 18, 10]


def test_near_copies_do_not_make_another_view_unknown() -> None:
    copies = -np.linspace(9.0, 11.0, 100, dtype=np.float32)
    identical = np.full(20, -10.0, np.float32)
    for scores in (copies, identical):
        assert threshold_for(scores, 0.05) == pytest.approx(-2.5, abs=0.01)


def test_between_copies_and_independent_samples_the_threshold_has_no_jump() -> None:
    lowest = np.linspace(0.4, 1.0, 200)
    thresholds = [
        threshold_for(-np.linspace(low, 2.0 - low, 101, dtype=np.float32), 0.05) for low in lowest
    ]
    assert np.abs(np.diff(thresholds)).max() < 0.02


def test_a_head_without_a_detector_raises_and_detects_nothing() -> None:
    head = Head(WEIGHTS, np.zeros(3, np.float32))
    assert head.unknown_threshold == math.inf
    assert HEAD.unknown_threshold == 0.5
    with pytest.raises(ValueError, match='no unknown detector'):
        head.unknown_scores(np.zeros((1, 2), np.float32))


def test_a_head_is_given_one_label_per_class() -> None:
    named = HEAD.with_labels(['cat', 'dog', 'cup'])
    assert named.labels == ('cat', 'dog', 'cup')
    assert named.unknown_threshold == 0.5
    with pytest.raises(ValueError, match='1 labels'):
        named.with_labels(['cat'])
