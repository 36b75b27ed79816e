# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
from pathlib import Path
import pickle

from edgetpu_retrain.learning import FloatArray, Head, IntArray, Progress, TrainingDiverged
from edgetpu_retrain.learning.sgd.loop import Outcome, run_training_loop
from edgetpu_retrain.learning.sgd.sampling import Batches, batches
from edgetpu_retrain.learning.sgd.step import SgdStep
import numpy as np
import numpy.typing as npt
import pytest

LAYERS = Path(__file__).parents[1] / 'data' / 'layers.npz'


def one_step(
    weights: FloatArray, bias: FloatArray, batch: FloatArray, labels: IntArray, **rates: float
) -> float:
    step = SgdStep(weights, bias, len(batch), rates.get('reg', 0.0))
    step.forward(batch, labels)
    loss = step.loss()
    step.update(batch, rates.get('learning_rate', 1.0))
    return loss


def test_loss_gradient_and_range_are_those_of_the_reference_layers() -> None:
    with np.load(LAYERS) as recorded:
        layers = dict(recorded)
    weights, bias = layers['w'].copy(), layers['b'][0].copy()
    labels = np.argmax(layers['c'], axis=1)
    step = SgdStep(weights, bias, len(labels))

    step.forward(layers['x'], labels)

    assert step.loss() == pytest.approx(float(layers['loss'][0, 0]), abs=1e-6)
    logits = layers['logits']
    assert step.logit_range() == pytest.approx((logits.min(), logits.max()), abs=1e-6)
    step.update(layers['x'], learning_rate=1.0)
    change = layers['x'].T @ layers['dlogits']
    assert layers['w'] - weights == pytest.approx(change, rel=0, abs=1e-6)
    assert layers['b'][0] - bias == pytest.approx(layers['dlogits'].sum(axis=0), rel=0, abs=1e-6)


def test_probabilities_that_underflow_leave_everything_finite() -> None:
    weights = np.array([[3e4, -3e4, 0.0]], np.float32)
    bias = np.zeros(3, np.float32)
    batch = np.array([[100.0], [-100.0]], np.float32)

    loss = one_step(weights, bias, batch, np.array([1, 0]), learning_rate=0.1)

    assert loss == pytest.approx(6e6)
    assert np.isfinite(weights).all()
    assert bias == pytest.approx([0.0, 0.0, 0.0])
    # Each row pulls its true class and pushes the wrong one by rate * x / batch size.
    assert weights[0] == pytest.approx([3e4 - 10.0, -3e4 + 10.0, 0.0])


def test_the_loss_keeps_its_digits_beside_huge_logits() -> None:
    weights = np.array([[1e7, 1e7]], np.float32)
    loss = one_step(weights, np.zeros(2, np.float32), np.ones((1, 1), np.float32), np.array([0]))
    assert loss == pytest.approx(np.log(2.0), abs=1e-6)


def test_regularization_shrinks_weights_and_leaves_the_bias() -> None:
    weights = np.array([[1.0, -2.0]], np.float32)
    bias = np.array([5.0, 5.0], np.float32)
    batch = np.zeros((2, 1), np.float32)

    loss = one_step(weights, bias, batch, np.array([0, 1]), learning_rate=0.1, reg=0.5)

    assert loss == pytest.approx(np.log(2.0) + 0.5 * 0.5 * 5.0)
    assert weights[0] == pytest.approx([0.95, -1.9])
    assert bias == pytest.approx([5.0, 5.0])


@pytest.mark.parametrize(
    ('batch', 'learning_rate', 'reg'),
    [
        (np.nan, 0.1, 0.0),
        (np.inf, 0.1, 0.0),
        (1e38, 1e20, 0.0),
        (1.0, 1e300, 0.0),
        (0.0, 1e30, 1e30),
        (0.0, 3e38, 0.0),
    ],
)
@pytest.mark.parametrize('classes', [2, 6], ids=['fewer than samples', 'more than samples'])
@pytest.mark.filterwarnings('ignore::RuntimeWarning')
def test_a_step_that_would_not_be_finite_is_rejected_and_changes_nothing(
    classes: int, batch: float, learning_rate: float, reg: float
) -> None:
    weights = np.zeros((2, classes), np.float32)
    weights[:, :2] = [[1.0, -1.0], [0.5, 0.25]]
    bias = np.zeros(classes, np.float32)
    bias[0] = 0.5
    kept = weights.copy(), bias.copy()
    embeddings = np.full((3, 2), batch, np.float32)
    step = SgdStep(weights, bias, 3, reg)
    step.forward(embeddings, np.array([1, 1, 1]))

    with pytest.raises(TrainingDiverged, match=r'learning_rate .* was not taken'):
        step.update(embeddings, learning_rate)

    assert np.array_equal(weights, kept[0])
    assert np.array_equal(bias, kept[1])


@pytest.mark.parametrize(
    ('classes', 'dim', 'momentum'), [(4, 8, 0.0), (120, 60, 0.9), (16, 700, 0.0)]
)
def test_steps_do_not_depend_on_the_memory_order_of_weights(
    classes: int, dim: int, momentum: float
) -> None:
    rng = np.random.default_rng(0)
    drawn = rng.standard_normal((dim, classes)).astype(np.float32)
    batch = rng.standard_normal((100, dim)).astype(np.float32)
    labels = rng.integers(0, classes, 100)
    ended = []
    for order in ('C', 'F'):
        weights = np.array(drawn, order=order)
        bias = np.zeros(classes, np.float32)
        step = SgdStep(weights, bias, 100, 0.01, momentum)
        for _ in range(3):
            step.forward(batch, labels)
            step.update(batch, 0.1)
        ended.append((weights, bias, step.loss()))
    for one, other in zip(*ended, strict=True):
        assert np.allclose(one, other, rtol=1e-4, atol=1e-5)
    assert not np.allclose(ended[0][0], drawn, atol=1e-3)


def test_a_copied_or_pickled_step_works_on_copies_of_its_own() -> None:
    weights, bias = np.zeros((2, 2), np.float32), np.zeros(2, np.float32)
    original = SgdStep(weights, bias, 2)
    batch, labels = np.eye(2, dtype=np.float32), np.array([0, 0])
    losses = []
    pickled = pickle.loads(pickle.dumps(original))  # noqa: S301 - it has just been pickled
    for step in (copy.deepcopy(original), pickled, original):
        for _ in range(3):
            step.forward(batch, labels)
            losses.append(step.loss())
            step.update(batch, 1.0)
    assert losses[0:3] == losses[3:6] == losses[6:9]


class Recorded:
    """Repeats one batch and counts the draws."""

    def __init__(self, batch: FloatArray, labels: IntArray) -> None:
        self.batch, self.labels, self.draws = batch, labels, 0

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> tuple[FloatArray, IntArray]:
        self.draws += 1
        return self.batch, self.labels


def small_problem() -> tuple[SgdStep, Recorded, FloatArray]:
    weights, bias = np.zeros((2, 2), np.float32), np.zeros(2, np.float32)
    drawn = Recorded(np.eye(2, dtype=np.float32), np.array([0, 1]))
    return SgdStep(weights, bias, 2), drawn, weights


def test_the_loop_reports_at_0_n_2n_with_the_loss_before_and_accuracies_after() -> None:
    step, drawn, weights = small_problem()
    reports: list[Progress] = []

    def measure() -> tuple[float, float]:
        return float(weights[0, 0]), -1.0

    outcome = run_training_loop(
        step,
        drawn,
        lambda _: 1.0,
        5,
        measure=measure,
        report_every=2,
        on_progress=reports.append,
    )

    assert outcome == Outcome(5, stopped=False)
    assert [report.iteration for report in reports] == [0, 2, 4]
    assert [report.num_iter for report in reports] == [5, 5, 5]
    assert reports[0].loss == pytest.approx(np.log(2.0))
    assert reports[0].train_accuracy == pytest.approx(0.25)
    assert reports[0].validation_accuracy == -1.0


def test_returning_true_from_the_callback_stops_after_that_iteration() -> None:
    step, drawn, _ = small_problem()
    outcome = run_training_loop(
        step,
        drawn,
        lambda _: 1.0,
        100,
        measure=lambda: (0.0, 0.0),
        report_every=3,
        on_progress=lambda progress: progress.iteration == 6,
    )
    assert outcome == Outcome(7, stopped=True)
    assert drawn.draws == 7


def test_should_stop_is_called_before_every_iteration() -> None:
    step, drawn, weights = small_problem()
    answers = iter([False, False, False, True])
    outcome = run_training_loop(
        step,
        drawn,
        lambda _: 1.0,
        100,
        measure=lambda: (0.0, 0.0),
        should_stop=lambda: next(answers),
    )
    assert outcome == Outcome(3, stopped=True)
    assert drawn.draws == 3
    assert weights[0, 0] > 0.0


def test_without_reports_nothing_is_measured() -> None:
    step, drawn, _ = small_problem()

    def measure() -> tuple[float, float]:
        raise AssertionError('measured for nobody')

    run_training_loop(step, drawn, lambda _: 1.0, 3, measure=measure, report_every=1)
    run_training_loop(step, drawn, lambda _: 1.0, 3, measure=measure, on_progress=lambda _: None)


def shuffled_epochs(raw: npt.NDArray[np.uint8], labels: IntArray, size: int) -> Batches:
    """Yield the batches of another recipe: whole epochs, dequantized a batch at a time."""
    rng = np.random.default_rng(0)
    rows = np.empty(0, np.int64)
    while True:
        if len(rows) < size:
            rows = np.append(rows, rng.permutation(len(labels)))
        taken, rows = rows[:size], rows[size:]
        yield (raw[taken].astype(np.float32) - 120) * np.float32(0.01), labels[taken]


def test_another_recipe_shares_step_and_loop(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(4), 60)
    centres = rng.integers(40, 200, size=(4, 16))
    raw = np.clip(centres[labels] + rng.normal(0, 12, (240, 16)), 0, 255).astype(np.uint8)
    file = tmp_path / 'embeddings.npy'
    np.save(file, raw)
    mapped = np.load(file, mmap_mode='r')
    weights, bias = np.zeros((16, 4), np.float32), np.zeros(4, np.float32)
    rates: list[float] = []

    def cosine(iteration: int) -> float:
        rates.append(0.5 * (1.0 + np.cos(np.pi * iteration / 200)))
        return rates[-1]

    outcome = run_training_loop(
        SgdStep(weights, bias, 32, reg=1e-3),
        shuffled_epochs(mapped, labels, 32),
        cosine,
        200,
        measure=lambda: (0.0, 0.0),
    )

    assert outcome.iterations == len(rates) == 200
    embeddings = (raw.astype(np.float32) - 120) * np.float32(0.01)
    assert np.mean(Head(weights, bias).predict(embeddings) == labels) == 1.0


def test_a_diverging_loop_ends_with_the_last_finite_weights_and_no_warning() -> None:
    rng = np.random.default_rng(0)
    embeddings = rng.standard_normal((20, 3)).astype(np.float32)
    labels = rng.integers(0, 2, 20)
    weights, bias = np.ones((3, 2), np.float32), np.zeros(2, np.float32)
    with pytest.raises(TrainingDiverged, match=r'learning_rate 5 \(reg 1\)'):
        run_training_loop(
            SgdStep(weights, bias, 10, reg=1.0),
            batches(embeddings, labels, 10, lambda count: rng.integers(20, size=count)),
            lambda _: 5.0,
            10_000,
            measure=lambda: (0.0, 0.0),
        )
    assert np.isfinite(weights).all()
    assert np.isfinite(bias).all()
