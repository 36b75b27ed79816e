# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Two days are taught, most of it on the first: a burst, and a few views of the second day."""

from __future__ import annotations

from edgetpu_retrain.learning import fit, FloatArray, Head, IntArray
from edgetpu_retrain.learning.default_training.other_views import ViewsToPredict
from edgetpu_retrain.learning.default_training.problem import Problem
from edgetpu_retrain.learning.default_training.progress_relay import ProgressRelay
from edgetpu_retrain.learning.default_training.recipe import Recipe
from edgetpu_retrain.learning.embedding_rows import EmbeddingRows
import numpy as np
import pytest

CLASSES, DIM, LATENT = 30, 512, 24
TAUGHT = 10


class World:
    """Embeddings of things on two days, as the sessions of the benchmark have them."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(0)
        self._mixing = self._rng.normal(size=(LATENT, DIM)) / np.sqrt(LATENT)
        self._mixing *= np.geomspace(1.0, 0.2, LATENT)[:, np.newaxis]
        self._means = self._rng.normal(size=(CLASSES, LATENT))
        self._light = 1.2 * self._rng.normal(size=(2, LATENT))
        self._backgrounds = 0.8 * self._rng.normal(size=(2, CLASSES, LATENT))

    def seen(self, label: int, day: int, count: int, *, burst: bool = False) -> FloatArray:
        """Return frames of a thing, float32 ``[count, D]``: near copies, or other views."""
        views = 0.7 * self._rng.normal(size=(1 if burst else count, LATENT))
        shake = 0.1 * self._rng.normal(size=(count, LATENT))
        latent = self._means[label] + self._light[day] + self._backgrounds[day, label]
        noise = 0.12 * self._rng.normal(size=(count, DIM))
        frames = np.maximum((latent + views + shake) @ self._mixing + noise, 0.0)
        return np.asarray(frames, np.float32)


@pytest.fixture(scope='module')
def world() -> World:
    return World()


@pytest.fixture(scope='module')
def two_days(world: World) -> tuple[FloatArray, IntArray, IntArray]:
    """Return embeddings, labels and recordings: 30 frames of a burst and three of another day."""
    parts = [
        part
        for label in range(TAUGHT)
        for part in (world.seen(label, 0, 30, burst=True), world.seen(label, 1, 3))
    ]
    labels = np.repeat(np.arange(TAUGHT), 33)
    recordings = np.repeat(np.arange(2 * TAUGHT), [30, 3] * TAUGHT)
    return np.concatenate(parts), labels, recordings


def rejected(head: Head, embeddings: FloatArray) -> float:
    return float(np.mean(head.unknown_scores(embeddings) > head.unknown_threshold))


def test_strangers_of_a_day_are_noticed_after_three_frames_of_it(
    world: World, two_days: tuple[FloatArray, IntArray, IntArray]
) -> None:
    embeddings, labels, recordings = two_days
    head = fit(embeddings, labels, recordings=recordings)
    assert head.metrics is not None
    # Heads that do not know the second day are mostly wrong, with hardly any evidence.
    assert head.metrics.accuracy < 0.7
    assert len(head.metrics.held_out) == 3 * TAUGHT
    known = np.concatenate([world.seen(label, 1, 20) for label in range(TAUGHT)])
    strangers = [world.seen(label, 1, 20) for label in range(TAUGHT, CLASSES)]
    assert rejected(head, known) < 0.1
    assert rejected(head, np.concatenate(strangers)) > 0.2


def test_a_training_may_be_stopped_while_it_measures_other_views(
    two_days: tuple[FloatArray, IntArray, IntArray],
) -> None:
    embeddings, labels, recordings = two_days
    whole = fit(embeddings, labels, recordings=recordings).metrics
    assert whole is not None
    first, second = whole.measuring_runs
    calls: list[int] = []

    def should_stop() -> bool:
        calls.append(len(calls))
        return len(calls) > first + 20

    head = fit(embeddings, labels, recordings=recordings, should_stop=should_stop)
    assert head.metrics is not None
    assert head.metrics.stopped
    assert head.metrics.measuring_runs == (first, 20)
    assert second > 20
    assert np.mean(head.predict(embeddings) == labels) > 0.9


def test_with_one_recording_or_many_no_other_views_are_measured(
    two_days: tuple[FloatArray, IntArray, IntArray],
) -> None:
    embeddings, labels, _ = two_days
    for recordings in (None, labels, np.arange(len(labels)) // 3):
        report = fit(embeddings, labels, recordings=recordings).metrics
        assert report is not None
        assert len(report.measuring_runs) == 1


def test_a_part_of_each_recording_is_predicted(
    two_days: tuple[FloatArray, IntArray, IntArray],
) -> None:
    embeddings, labels, recordings = two_days
    single = np.append(recordings, 100)
    embeddings, labels = np.append(embeddings, embeddings[:1], axis=0), np.append(labels, 0)
    progress = ProgressRelay(None, None, None, 0)
    problem = Problem.of(
        EmbeddingRows(embeddings),
        labels,
        single,
        TAUGHT,
        Recipe(),
        progress,
        np.random.default_rng(0),
        warm=False,
    )
    views = ViewsToPredict.of(problem, single, 0.2)
    assert not np.intersect1d(views.trained, views.rows).size
    of_bursts = single[views.rows] % 2 == 0
    assert np.bincount(single[views.rows][~of_bursts])[1::2].tolist() == [1] * TAUGHT
    assert np.bincount(single[views.rows][of_bursts])[::2].tolist() == [6] * TAUGHT
    assert views.copies.tolist() == of_bursts.tolist()
    assert len(labels) - 1 in views.trained
