# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Every sample is evaluated once, by a head that was not trained on it."""

from __future__ import annotations

from collections.abc import Callable

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.report.analysis import held_out as module
from edgetpu_retrain.report.analysis.held_out import check_labels, cross_validate, HeldOut
from edgetpu_retrain.store.samples.sample import TrainingSet
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np
import pytest

SamplesOf = Callable[..., TrainingSet]


def test_no_sample_is_evaluated_by_a_head_trained_on_it(
    samples_of: SamplesOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = samples_of([0] * 11 + [1] * 7)
    trained: list[set[int]] = []
    evaluated: list[set[int]] = []
    fit_rows, probabilities_of = module.fit_rows, module.probabilities_of

    def fit(of: TrainingSet, rows: IntArray, options: TrainingOptions) -> object:
        trained.append(set(rows.tolist()))
        return fit_rows(of, rows, options)

    def evaluate(head: object, of: TrainingSet, rows: IntArray) -> object:
        evaluated.append(set(rows.tolist()))
        return probabilities_of(head, of, rows)  # type: ignore[arg-type]

    monkeypatch.setattr(module, 'fit_rows', fit)
    monkeypatch.setattr(module, 'probabilities_of', evaluate)
    found = cross_validate(samples, TrainingOptions())
    assert len(trained) == 5
    for seen, held_out in zip(trained, evaluated, strict=True):
        assert not seen & held_out
        assert seen | held_out == set(range(18))
    assert sorted(row for rows in evaluated for row in rows) == list(range(18))
    assert found.right.all()


def test_the_same_seed_gives_the_same_predictions(samples_of: SamplesOf) -> None:
    samples = samples_of([0] * 10 + [1] * 10, spread=3.0)
    first, again = (cross_validate(samples, TrainingOptions(seed=4)) for _ in range(2))
    np.testing.assert_array_equal(first.probabilities, again.probabilities)
    other = cross_validate(samples, TrainingOptions(seed=5))
    assert not np.array_equal(first.probabilities, other.probabilities)


def test_a_class_with_one_sample_is_not_evaluated(samples_of: SamplesOf) -> None:
    found = cross_validate(samples_of([0, 0, 0, 1, 1, 2]), TrainingOptions())
    assert found.rows.tolist() == [0, 1, 2, 3, 4]
    assert found.folds == len(set(found.fold_of.tolist()) - {-1}) >= 3
    assert found.probabilities.shape == (5, 3)


def test_one_sample_per_class_cannot_be_evaluated(samples_of: SamplesOf) -> None:
    found = cross_validate(samples_of([0, 1, 2]), TrainingOptions())
    assert found.folds == 0
    assert found.units == (None, None, None)
    assert len(found.rows) == len(found.predictions) == len(found.right) == 0


def test_whole_recordings_are_held_out(samples_of: SamplesOf) -> None:
    recordings = np.tile(np.arange(20) // 5, 2)
    found = cross_validate(
        samples_of([0] * 20 + [1] * 20, recordings=recordings.tolist()), TrainingOptions()
    )
    assert found.unit == 'recordings'
    for number in range(4):
        assert len(set(found.fold_of[recordings == number].tolist())) == 1


def test_near_copies_of_what_is_trained_on_are_not_evaluated(samples_of: SamplesOf) -> None:
    samples = samples_of([0] * 20 + [1] * 20)
    # At the end of the first block of the class and at the start of the second.
    samples.embeddings[4] = samples.embeddings[3]
    found = cross_validate(samples, TrainingOptions())
    assert found.unit == 'blocks'
    assert found.rows.tolist() == [row for row in range(40) if row not in {3, 4}]


def test_labels_are_checked_without_frames_that_are_alike(samples_of: SamplesOf) -> None:
    samples = samples_of([0] * 20 + [1] * 20)
    samples.embeddings[[2, 9, 16]] = samples.embeddings[25:26]
    found = check_labels(samples, TrainingOptions())
    assert found.rows.tolist() == list(range(40))
    assert len(set(found.fold_of[[2, 9, 16]].tolist())) == 1
    assert found.predictions[[2, 9, 16]].tolist() == [1, 1, 1]


def test_quantized_samples_are_dequantized(samples_of: SamplesOf) -> None:
    from edgetpu_retrain.model_file.quantization import QuantizationParameters

    floats = samples_of([0] * 10 + [1] * 10)
    raw = np.clip(np.round(floats.embeddings / 0.05) + 100, 0, 255).astype(np.uint8)
    samples = TrainingSet(
        raw, floats.labels, floats.names, QuantizationParameters(0.05, 100), floats.ids
    )
    assert cross_validate(samples, TrainingOptions()).right.all()


def test_what_training_refuses_gives_one_sentence(samples_of: SamplesOf) -> None:
    damaged = samples_of([0] * 5 + [1] * 5)
    damaged.embeddings[3, 2] = np.nan
    with pytest.raises(RequestError, match='cannot be judged'):
        cross_validate(damaged, TrainingOptions())


PROBABILITIES = np.array(
    [
        [0.9, 0.05, 0.05],  # right
        [0.4, 0.35, 0.25],  # right, and the least confident
        [0.6, 0.3, 0.1],  # wrong
        [0.01, 0.01, 0.98],  # wrong, and the worst
        [0.3, 0.1, 0.6],  # wrong
    ],
    np.float32,
)


def test_worst_mistakes_and_least_confident_predictions_come_first() -> None:
    labels = np.array([0, 0, 1, 0, 1])
    found = HeldOut(np.arange(5), labels, PROBABILITIES, np.zeros(5, np.int64), 5)
    assert found.worst_mistakes().tolist() == [3, 4, 2]
    assert found.least_confident().tolist() == [1, 2, 4, 0, 3]
