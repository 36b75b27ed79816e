# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from edgetpu_retrain.learning import fit, FloatArray, IntArray
import numpy as np
import pytest


def taught(classes: int = 8) -> tuple[FloatArray, IntArray]:
    """Return samples of classes of which the first three are hardly different."""
    rng = np.random.default_rng(0)
    means = 3.0 * np.linalg.qr(rng.normal(size=(64, 64)))[0][:classes]
    means[1:3] = means[0] + 0.3 * means[1:3]
    labels = np.repeat(np.arange(classes), 20)
    embeddings = means[labels] + 0.4 * rng.normal(size=(len(labels), 64))
    return np.asarray(embeddings, np.float32), labels


def test_a_class_is_noticed_if_it_is_unlike_the_others() -> None:
    embeddings, labels = taught()
    head = fit(embeddings, labels, measure_unknown=True)
    assert head.metrics is not None
    assert head.metrics.noticed is not None
    assert head.metrics.noticed.shape == (8,)
    # Two of the three are left out together, or none.
    assert head.metrics.noticed[:3].min() < 0.3
    assert head.metrics.noticed[3:].min() > 0.7
    words = head.metrics.in_words()
    assert 'things that were not taught' in words
    assert 'in views like these' in words


def test_measuring_it_does_not_change_the_head() -> None:
    embeddings, labels = taught()
    plain, measured = (fit(embeddings, labels, measure_unknown=flag) for flag in (False, True))
    assert np.array_equal(plain.weights, measured.weights)
    assert plain.unknown_threshold == measured.unknown_threshold
    assert plain.metrics is not None
    assert plain.metrics.noticed is None
    assert 'not taught' not in plain.metrics.in_words()


@pytest.mark.parametrize('options', [{}, {'num_iter': 3}])
def test_with_two_classes_nothing_can_be_left_out(options: dict[str, Any]) -> None:
    embeddings, labels = taught(3)
    embeddings, labels = embeddings[labels < 2], labels[labels < 2]
    head = fit(embeddings, labels, measure_unknown=True, **options)
    assert head.metrics is not None
    assert head.metrics.noticed is not None
    assert np.isnan(head.metrics.noticed).all()
    assert 'not taught' not in head.metrics.in_words()


def test_reports_of_progress_end_with_the_final_training() -> None:
    embeddings, labels = taught()
    seen: list[int] = []

    def on_progress(progress: Any) -> None:
        seen.append(progress.iteration)
        assert progress.iteration < progress.num_iter

    fit(embeddings, labels, measure_unknown=True, on_progress=on_progress, report_every=1)
    assert seen == list(range(len(seen)))


def test_cancelling_it_propagates() -> None:
    embeddings, labels = taught()
    calls: list[int] = []
    last = 10**9

    def should_stop() -> bool:
        calls.append(1)
        if len(calls) > last:
            raise InterruptedError
        return False

    fit(embeddings, labels, should_stop=should_stop)
    last = 2 * len(calls) + 5
    with pytest.raises(InterruptedError):
        fit(embeddings, labels, measure_unknown=True, should_stop=should_stop)
