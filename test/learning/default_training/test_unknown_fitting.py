# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.learning import fit, FloatArray, Head
from edgetpu_retrain.learning.default_training.unknown_fitting import bounded, threshold_for
import numpy as np
import pytest
from support.flowers import read_flowers


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


def test_samples_that_are_more_alike_than_those_of_two_days_leave_room_for_another_day() -> None:
    alike = -np.linspace(9.0, 11.0, 101, dtype=np.float32)
    assert threshold_for(alike, 0.05) == pytest.approx(-5.2)
    # A higher rate still rejects more.
    assert threshold_for(alike, 0.3) == pytest.approx(-5.2 * 9.6 / 9.1)
    varied = -np.linspace(0.0, 20.0, 101, dtype=np.float32)
    assert threshold_for(varied, 0.05) == pytest.approx(-1.0)


def test_near_copies_do_not_make_another_view_unknown() -> None:
    scores = -np.linspace(9.0, 11.0, 100, dtype=np.float32)
    copies = np.ones(100, bool)
    assert threshold_for(scores, 0.05, copies=copies) == pytest.approx(-2.1)
    # Without copies it is -5.2; half and half is in between.
    copies[::2] = False
    assert threshold_for(scores, 0.05, copies=copies) == pytest.approx(-3.65, abs=0.06)


def test_the_wanted_share_holds_in_each_of_few_recordings() -> None:
    parts = np.repeat([0, 1], 100)
    scores = -np.concatenate([np.linspace(0, 10, 100), np.linspace(0, 100, 100)])
    threshold = threshold_for(scores.astype(np.float32), 0.05, parts)
    assert threshold == threshold_for(scores[:100].astype(np.float32), 0.05)
    assert np.mean(scores[parts == 1] > threshold) < 0.05


def test_few_recordings_may_widen_the_threshold_of_other_views_by_a_little_only() -> None:
    assert bounded(-1.9, expected=-2.0) == -1.9
    assert bounded(-0.1, expected=-2.0) == pytest.approx(-1.56)
    # It is never stricter than for views of the recordings themselves.
    assert bounded(-5.0, expected=-2.0) == -2.0
    assert bounded(-1.0, expected=0.5) == 0.5


def test_scores_above_0_are_a_threshold_too() -> None:
    assert threshold_for(np.linspace(1.0, 2.0, 21, dtype=np.float32), 0.0) == 2.0


def _rejected(head: Head, embeddings: FloatArray) -> float:
    return float(np.mean(head.unknown_scores(embeddings) > head.unknown_threshold))


def test_a_large_varied_class_does_not_swallow_strangers() -> None:
    # Class 0 fills 20 directions, the others one each; strangers have directions of their own.
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(512, 512)))[0]

    def drawn(number: int, count: int) -> FloatArray:
        found = 0.25 * rng.normal(size=(count, 512))
        if number == 0:
            found += 6.0 * rng.dirichlet(np.ones(20), count) @ axes[:20]
        else:
            found += 4.0 * axes[20 + number]
        return np.asarray(found, np.float32)

    counts = [100, 20, 20, 20, 20, 20]
    labels = np.repeat(np.arange(6), counts)
    head = fit(np.concatenate([drawn(n, count) for n, count in enumerate(counts)]), labels)
    mixed = rng.dirichlet(np.ones(20), 200) @ axes[100:120] * 6.0
    strangers = (mixed + 0.25 * rng.normal(size=(200, 512))).astype(np.float32)
    known = np.concatenate([drawn(n, 100) for n in range(6)])
    assert _rejected(head, strangers) > 0.9
    assert _rejected(head, known) < 0.15


def test_after_a_warm_start_known_things_are_rejected_as_after_one_from_scratch() -> None:
    flowers, gaps = read_flowers(), []
    for seed in range(3):
        train, test = flowers.first(15, seed)
        head = fit(flowers.floats[train], flowers.labels[train])
        warm = fit(flowers.floats[train], flowers.labels[train], initial=head)
        rates = [_rejected(each, flowers.floats[test]) for each in (head, warm)]
        gaps.append(rates[1] - rates[0])
    assert np.abs(gaps).mean() < 0.01
