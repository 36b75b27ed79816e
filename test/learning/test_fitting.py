# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The arguments of ``fit``, and the reports of its heads."""

from __future__ import annotations

import math
from pathlib import Path
import subprocess
import sys
import tracemalloc
from typing import Any

from edgetpu_retrain.learning import fit, FloatArray, Head, IntArray, Progress
from edgetpu_retrain.learning.training_report import TrainingReport
import numpy as np
import pytest
from support.flowers import Flowers, NUM_CLASSES, read_flowers


@pytest.fixture(scope='module')
def flowers() -> Flowers:
    return read_flowers()


def learn(flowers: Flowers, rows: IntArray, initial: Head | None = None, **options: Any) -> Head:
    return fit(
        flowers.raw[rows],
        flowers.labels[rows],
        scale=flowers.scale,
        zero_point=flowers.zero_point,
        initial=initial,
        **options,
    )


def right(head: Head, embeddings: FloatArray, labels: IntArray) -> float:
    return float(np.mean(head.predict(embeddings) == labels))


def metrics(head: Head) -> TrainingReport:
    assert head.metrics is not None
    return head.metrics


def before_temperature(head: Head) -> FloatArray:
    assert head.temperature is not None
    weights: FloatArray = head.weights * np.float32(head.temperature)
    return weights


def test_the_same_data_and_seed_give_the_same_weights_in_two_processes(flowers: Flowers) -> None:
    program = (
        'import hashlib, sys; sys.path.insert(0, sys.argv[1])\n'
        'from support.flowers import read_flowers\n'
        'from edgetpu_retrain.learning import fit\n'
        'f = read_flowers()\n'
        'h = fit(f.raw, f.labels, scale=f.scale, zero_point=f.zero_point, seed=3)\n'
        'print(hashlib.sha256(h.weights.tobytes() + h.bias.tobytes()).hexdigest())\n'
    )
    folder = str(Path(__file__).parents[1])
    root = str(Path(__file__).parents[2])
    answers = {
        subprocess.run(
            [sys.executable, '-c', program, folder],
            check=True,
            capture_output=True,
            text=True,
            env={'PYTHONPATH': root, 'PYTHONHASHSEED': seed},
        ).stdout
        for seed in ('1', '2')
    }
    assert len(answers) == 1
    here, other = (learn(flowers, np.arange(340), seed=seed) for seed in (3, 4))
    assert not np.array_equal(here.weights, other.weights)


def test_quantized_embeddings_give_the_head_of_their_real_values(flowers: Flowers) -> None:
    rows = flowers.first(15, 0)[0]
    quantized = learn(flowers, rows)
    real = fit(flowers.floats[rows], flowers.labels[rows])
    assert quantized.weights == pytest.approx(real.weights, abs=1e-3)
    assert quantized.bias == pytest.approx(real.bias, abs=1e-2)


def test_shift_and_size_of_the_embeddings_do_not_matter(flowers: Flowers) -> None:
    train, test = flowers.first(15, 0)
    plain = fit(flowers.floats[train], flowers.labels[train])
    moved = fit(7.0 - 300.0 * flowers.floats[train], flowers.labels[train])
    probabilities = moved.predict_proba(7.0 - 300.0 * flowers.floats[test])
    assert probabilities == pytest.approx(plain.predict_proba(flowers.floats[test]), abs=0.02)


def test_the_wanted_rejection_rate_moves_the_threshold(flowers: Flowers) -> None:
    rows = flowers.first(15, 0)[0]
    lax, strict = (
        fit(flowers.floats[rows], flowers.labels[rows], rejection_rate=rate)
        for rate in (0.01, 0.3)
    )
    assert np.array_equal(lax.weights, strict.weights)
    assert strict.unknown_threshold < lax.unknown_threshold
    assert '30 % of known things' in metrics(strict).in_words()


def test_one_outlier_does_not_coarsen_the_quantized_layer(flowers: Flowers) -> None:
    embeddings, labels = flowers.floats, flowers.labels
    plain = fit(embeddings, labels)
    wild = np.concatenate([embeddings, 100.0 * embeddings[:1]])
    spoiled = fit(wild, np.concatenate([labels, labels[:1]]))
    width = plain.logit_range[1] - plain.logit_range[0]
    assert spoiled.logit_range[1] - spoiled.logit_range[0] < 3 * width
    logits = plain.logits(embeddings)
    inside = (logits >= plain.logit_range[0]) & (logits <= plain.logit_range[1])
    assert inside.mean() > 0.999


def test_the_report_says_where_its_figures_come_from(flowers: Flowers) -> None:
    methods = {}
    for samples in (1, 5, 20):
        head = learn(flowers, flowers.first(samples, 0)[0])
        methods[samples] = metrics(head).method
    assert methods == {1: 'none', 5: 'cross-validation', 20: 'held-out split'}
    assert metrics(head).confusion_matrix.sum() == len(metrics(head).held_out) == 68


def test_whole_recordings_are_held_out_and_the_figures_are_those_of_another_day() -> None:
    # On the second day, each class looks more like another one on the first; frames are alike.
    rng = np.random.default_rng(0)
    labels, day = np.tile(np.repeat(np.arange(4), 30), 2), np.repeat([0, 1], 120)
    own, looks = rng.normal(0.0, 1.0, (4, 64)), rng.normal(0.0, 2.0, (4, 64))
    embeddings = own[labels] + looks[(labels + day) % 4] + 0.3 * rng.normal(size=(240, 64))
    one_go, days = fit(embeddings, labels), fit(embeddings, labels, recordings=day)
    assert metrics(one_go).accuracy == 1.0
    assert metrics(one_go).held_out_unit == 'frames'
    assert 'All classes were taught in one go' in metrics(one_go).in_words()
    assert metrics(days).accuracy < 0.8
    assert metrics(days).held_out_unit == 'recordings'
    assert metrics(days).method == 'cross-validation'
    assert len(metrics(days).held_out) == 240
    assert 'taught in one go' not in metrics(days).in_words()
    # Of four recordings of many samples, each is held out once, in three trainings.
    many = np.tile(np.arange(240), 5)
    four = fit(embeddings[many], labels[many], recordings=2 * day[many] + (np.arange(1200) < 600))
    assert len(metrics(four).held_out) == 1200
    assert metrics(four).measuring_iterations > metrics(four).iterations


def test_a_training_that_is_stopped_while_a_recording_is_held_out_returns_a_usable_head() -> None:
    rng = np.random.default_rng(0)
    labels, recordings = np.repeat(np.arange(3), 120), np.arange(360) // 40
    light = rng.normal(0.0, 1.0, (9, 32))[recordings]
    embeddings = 2.0 * np.eye(32)[labels] + light + 0.5 * rng.normal(size=(360, 32))
    calls: list[int] = []

    def should_stop() -> bool:
        calls.append(len(calls))
        return len(calls) > 100

    head = fit(embeddings, labels, recordings=recordings, should_stop=should_stop)
    assert metrics(head).stopped
    assert right(head, embeddings.astype(np.float32), labels) > 0.85


def test_classes_may_differ_in_what_is_held_out() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 150)
    recordings = np.concatenate([np.arange(150) // 50, np.zeros(150, np.int64)])
    embeddings = rng.normal(size=(300, 16)) + 2.0 * np.eye(16)[labels]
    report = metrics(fit(embeddings, labels, recordings=recordings))
    assert report.held_out_units == ('recordings', 'blocks')
    assert 'class 1 was taught in one go' in report.in_words()
    assert np.bincount(labels[report.held_out]).tolist() == [150, 90]


@pytest.mark.parametrize(
    ('recordings', 'expected'),
    [([0, 1], '2 entries'), ([[0] * 4], r'\[N\]'), ([0.5] * 4, 'float64')],
)
def test_recordings_are_checked(recordings: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=expected) as error:
        fit(np.eye(4), [0, 0, 1, 1], recordings=recordings)
    assert str(error.value).startswith('recordings')


def test_with_one_sample_per_class_nothing_is_called_unknown(flowers: Flowers) -> None:
    train, test = flowers.first(1, 0)
    head = learn(flowers, train)
    assert right(head, flowers.floats[train], flowers.labels[train]) == 1.0
    assert head.unknown_threshold == math.inf
    assert not (head.unknown_scores(flowers.floats[test]) > head.unknown_threshold).any()
    assert 'Nothing could be measured: every class has one sample.' in metrics(head).in_words()
    assert math.isnan(metrics(head).accuracy)


def test_explicit_options_override_the_defaults(flowers: Flowers) -> None:
    rows = flowers.first(15, 0)[0]
    short = learn(flowers, rows, num_iter=7)
    assert metrics(short).iterations == 7
    strong, weak = (
        fit(flowers.floats[rows], flowers.labels[rows], reg=reg, num_iter=300)
        for reg in (10.0, 0.0)
    )
    lengths = [np.linalg.norm(before_temperature(head)) for head in (strong, weak)]
    assert lengths[0] < 0.2 * lengths[1]
    slow, slower = (
        fit(flowers.floats[rows], flowers.labels[rows], learning_rate=rate, reg=0.0)
        for rate in (1e-12, 1e-13)
    )
    assert before_temperature(slow) == pytest.approx(before_temperature(slower), abs=1e-6)


@pytest.mark.parametrize('samples', [5, 15])
@pytest.mark.parametrize('rate', [1e30, 1e18])
def test_a_diverging_training_keeps_finite_weights_and_reports_it(
    flowers: Flowers, samples: int, rate: float
) -> None:
    train, test = flowers.first(samples, 0)
    head = fit(flowers.floats[train], flowers.labels[train], learning_rate=rate)
    assert metrics(head).diverged
    assert 'diverged' in metrics(head).in_words()
    assert np.isfinite(head.logit_range).all()
    # What is left is the start: class means, not the last weights before they were infinite.
    assert np.abs(head.weights).max() < 10.0
    assert right(head, flowers.floats[test], flowers.labels[test]) > 0.7


def test_embeddings_stay_quantized_and_in_their_file(tmp_path: Path) -> None:
    count, dim = 100_000, 128
    labels = np.random.default_rng(0).integers(0, 3, count)
    stored = np.memmap(tmp_path / 'embeddings', np.uint8, 'w+', shape=(count, dim))
    stored[:] = 10 * labels[:, np.newaxis]
    stored[:, 0] = np.arange(count) % 7
    tracemalloc.start()
    try:
        head = fit(stored, labels, scale=0.1, zero_point=0, num_iter=20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert metrics(head).train_accuracy == 1.0
    # As float32 the embeddings would be 51 MB.
    assert peak < 2**24


def test_more_batches_than_fit_the_memory_are_made_one_by_one() -> None:
    # 20 MiB as float32: beyond what is conditioned at once.
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 20_480)
    embeddings = rng.standard_normal((20_480, 256)).astype(np.float32)
    embeddings[np.arange(20_480), labels] += 6.0
    many = fit(embeddings, labels, num_iter=50)
    few = fit(embeddings[:2000], labels[:2000], num_iter=50)
    assert metrics(many).accuracy > 0.98
    assert metrics(few).accuracy > 0.98


@pytest.mark.parametrize('samples', [5, 15])
def test_progress_counts_over_all_runs(flowers: Flowers, samples: int) -> None:
    reports: list[tuple[float, ...]] = []
    progress: list[Progress] = []
    rows = flowers.first(samples, 0)[0]
    head = fit(
        flowers.floats[rows],
        flowers.labels[rows],
        callback=lambda *report: reports.append(report),
        on_progress=progress.append,
        report_every=5,
    )
    iterations = [report[0] for report in reports]
    assert iterations == sorted(set(iterations))
    assert iterations == [each.iteration for each in progress]
    whole = metrics(head).iterations + metrics(head).measuring_iterations
    assert whole - 5 <= iterations[-1] < whole
    assert progress[-1].num_iter == whole
    assert all(0.0 <= value <= 1.0 for report in reports for value in report[2:])
    assert reports[-1][3] == pytest.approx(metrics(head).accuracy)


@pytest.mark.parametrize('samples', [5, 15])
@pytest.mark.parametrize('last', [3, 70])
def test_a_callback_ends_the_training_with_what_was_learned(
    flowers: Flowers, samples: int, last: int
) -> None:
    asked = []

    def stop(iteration: int, *figures: float) -> bool:
        asked.append(figures)
        return iteration >= last

    rows = flowers.first(samples, 0)[0]
    head = fit(flowers.floats[rows], flowers.labels[rows], callback=stop, report_every=1)
    assert len(asked) == last + 1
    assert metrics(head).stopped
    assert 'stopped before its end' in metrics(head).in_words()
    assert right(head, flowers.floats[rows], flowers.labels[rows]) > 0.7


def test_should_stop_is_called_before_every_iteration(flowers: Flowers) -> None:
    class CancelledError(Exception):
        pass

    count = 0

    def cancel() -> bool:
        nonlocal count
        count += 1
        if count == 30:
            raise CancelledError
        return False

    with pytest.raises(CancelledError):
        fit(flowers.floats, flowers.labels, should_stop=cancel)
    assert count == 30


def test_labels_of_an_earlier_head_are_kept_while_they_fit(flowers: Flowers) -> None:
    names = tuple(f'flower {number}' for number in range(NUM_CLASSES))
    rows = flowers.first(15, 0)[0]
    earlier = learn(flowers, rows).with_labels(names)
    assert learn(flowers, rows, initial=earlier).labels == names
    fewer = rows[flowers.labels[rows] < 16]
    smaller = learn(flowers, fewer).with_labels(names[:16])
    assert learn(flowers, rows, initial=smaller).labels == ()


def test_a_warm_start_begins_with_the_earlier_head(flowers: Flowers) -> None:
    rows = flowers.first(15, 0)[0]
    earlier = learn(flowers, rows[flowers.labels[rows] < 16])
    head = learn(flowers, rows, initial=earlier, num_iter=1, learning_rate=1e-9)
    assert head.weights[:, :16] == pytest.approx(earlier.weights, abs=1e-4)
    assert head.bias[:16] == pytest.approx(earlier.bias, abs=1e-3)
    lengths = np.linalg.norm(head.weights, axis=0)
    assert lengths[16] == pytest.approx(lengths[:16].mean(), rel=0.5)


def test_a_warm_start_accepts_a_head_of_another_recipe(flowers: Flowers) -> None:
    train, test = flowers.first(15, 0)
    rng = np.random.default_rng(0)
    weights = rng.normal(0.0, 5.0, (1024, 3)).astype(np.float32)
    head = learn(flowers, train, initial=Head(weights, np.zeros(3, np.float32)), num_iter=200)
    assert right(head, flowers.floats[test], flowers.labels[test]) > 0.8


def test_training_on_identical_embeddings_does_not_fail() -> None:
    head = fit(np.ones((60, 8), np.float32), np.arange(60) % 3)
    assert np.isfinite(head.weights).all()
    assert np.isfinite(head.logit_range).all()
    assert np.isfinite(head.unknown_scores(np.ones((1, 8), np.float32))).all()
