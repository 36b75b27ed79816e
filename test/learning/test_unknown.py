# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

from edgetpu_retrain.learning import Head, UnknownDetector
from edgetpu_retrain.learning.unknown import unknown_scores
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


def test_what_lies_outside_of_the_directions_of_known_samples_has_less_evidence() -> None:
    center, gain = np.zeros(4, np.float32), np.ones(4, np.float32)
    along_first = np.eye(4, 1, dtype=np.float32)
    detector = UnknownDetector(center, gain, 0.0, along_first, 0.5)
    plain = UnknownDetector(center, gain)
    embeddings = np.array(
        [[2.0, 0.0, 0.0, 0.0], [1.0, 1.7, 0.0, 0.0], [0.25, 0.97, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]],
        np.float32,
    )
    ratio = detector.lengths(embeddings) / plain.lengths(embeddings)
    # Shares of 1 and 0.507 are enough; one of 0.25 is half of what is needed.
    assert ratio[:3] == pytest.approx([1.0, 1.0, 32.0], rel=0.03)
    assert ratio[3] > 1e6
    logits = np.array([[4.0, 1.0]] * 4, np.float32)
    assert detector.scores(logits, embeddings)[3] == pytest.approx(0.0, abs=1e-5)


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
