# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
import copy
import os
import re
import subprocess
import sys
from typing import Any

from edgetpu_retrain import SoftmaxRegression
from edgetpu_retrain.learning import TrainingDiverged
import numpy as np
import numpy.typing as npt
import pytest

Data = dict[str, npt.NDArray[Any]]


def clusters(classes: int = 3, dim: int = 8, count: int = 60, seed: int = 0) -> Data:
    """Return well separated classes, a third of the samples for validation."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    embeddings = 6.0 * np.eye(classes, dim)[labels] + rng.standard_normal((count, dim))
    embeddings = embeddings.astype(np.float32)
    third = count // 3
    return {
        'data_train': embeddings[third:],
        'labels_train': labels[third:],
        'data_val': embeddings[:third],
        'labels_val': labels[:third],
    }


def trained(data: Data, **arguments: float) -> SoftmaxRegression:
    model = SoftmaxRegression(seed=0)
    model.train_with_sgd(data, int(arguments.get('num_iter', 100)), 0.1, print_every=0)
    return model


def test_importing_the_class_imports_neither_ros_nor_a_runtime() -> None:
    heavy = {'rclpy', 'ai_edge_litert', 'tflite_runtime', 'cv2', 'flatbuffers', 'sqlite3'}
    program = 'import sys; from edgetpu_retrain import SoftmaxRegression; print(*sys.modules)'
    # coverage.py, which this starts, imports much itself.
    environment = {**os.environ}
    environment.pop('COVERAGE_PROCESS_START', None)
    answer = subprocess.run(
        [sys.executable, '-c', program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(answer.stdout.split())
    assert 'edgetpu_retrain.softmax_regression' in loaded
    assert not heavy & loaded


def test_the_package_has_no_other_names() -> None:
    with pytest.raises(ImportError, match='SoftmaxRegresion'):
        from edgetpu_retrain import SoftmaxRegresion  # type: ignore[attr-defined]  # noqa: F401


def test_sizes_are_taken_from_the_first_data() -> None:
    data = clusters(classes=4, dim=6)
    model = SoftmaxRegression(seed=0)
    assert (model.feature_dim, model.num_classes) == (None, None)
    model.train_with_sgd(data, 10, 0.1, print_every=0)
    assert (model.feature_dim, model.num_classes) == (6, 4)
    assert model.weights.shape == (6, 4)
    assert model.bias.shape == (4,)
    assert model.weights.dtype == model.bias.dtype == np.float32

    by_step = SoftmaxRegression()
    by_step.train_step(data['data_train'][:8], np.eye(5)[np.arange(8) % 3], 0.1)
    assert (by_step.feature_dim, by_step.num_classes) == (6, 5)


def test_a_class_that_only_the_validation_labels_name_is_a_class() -> None:
    data = clusters()
    data['labels_val'] = data['labels_val'].copy()
    data['labels_val'][0] = 4
    assert trained(data).num_classes == 5


def test_initial_weights_are_normal_with_weight_scale_and_the_bias_is_zero() -> None:
    model = SoftmaxRegression(200, 50, weight_scale=0.03, seed=1)
    assert model.weights.std() == pytest.approx(0.03, rel=0.05)
    assert abs(model.weights.mean()) < 0.002
    assert not model.bias.any()
    assert not SoftmaxRegression(5, 2, weight_scale=0.0).weights.any()


def test_training_separates_clusters_and_goes_on_where_it_stood() -> None:
    data = clusters()
    model = trained(data)
    assert model.get_accuracy(data['data_train'], data['labels_train']) == 1.0
    assert model.get_accuracy(data['data_val'], data['labels_val']) == 1.0
    loss = model.train_step(data['data_train'], data['labels_train'], 0.0)
    model.train_with_sgd(data, 100, 0.1, print_every=0)
    assert model.train_step(data['data_train'], data['labels_train'], 0.0) < loss / 1.2


def test_the_seed_decides_everything() -> None:
    data = clusters()
    first, again = trained(data), trained(data)
    assert np.array_equal(first.weights, again.weights)
    assert np.array_equal(first.bias, again.bias)
    known = SoftmaxRegression(8, 3, seed=0)
    known.train_with_sgd(data, 100, 0.1, print_every=0)
    assert np.array_equal(first.weights, known.weights)
    other = SoftmaxRegression(seed=1)
    other.train_with_sgd(data, 100, 0.1, print_every=0)
    assert not np.array_equal(first.weights, other.weights)
    unseeded = SoftmaxRegression(8, 3), SoftmaxRegression(8, 3)
    assert not np.array_equal(unseeded[0].weights, unseeded[1].weights)


def test_labels_may_be_indices_of_any_integer_type_lists_or_one_hot() -> None:
    data = clusters()
    expected = trained(data)
    forms: list[Callable[[npt.NDArray[Any]], Any]] = [
        lambda labels: labels.astype(np.uint8),
        lambda labels: labels.tolist(),
        lambda labels: np.eye(3)[labels],
        lambda labels: np.eye(3, dtype=bool)[labels],
    ]
    for form in forms:
        same = {**data}
        for key in ('labels_train', 'labels_val'):
            same[key] = form(data[key])
        model = trained(same)
        assert np.array_equal(model.weights, expected.weights)
        assert model.get_accuracy(same['data_val'], same['labels_val']) == 1.0


def test_embeddings_may_be_of_any_real_type_and_layout() -> None:
    data = clusters()
    batch, labels = np.round(data['data_train']), data['labels_train']
    models = []
    for form in (
        batch,
        batch.astype(np.float64),
        batch.astype(np.int16),
        batch.tolist(),
        np.asfortranarray(batch),
        np.repeat(batch, 2, axis=1)[:, ::2],
    ):
        model = SoftmaxRegression(8, 3, seed=0)
        for _ in range(5):
            model.train_step(form, labels, 0.1)
        models.append(model)
    for model in models[1:]:
        assert model.weights == pytest.approx(models[0].weights, rel=0, abs=1e-7)


def test_one_embedding_gives_an_index_and_several_an_array() -> None:
    data = clusters()
    model = trained(data)
    one = model.run_inference(data['data_val'][1])
    assert type(one) is int
    assert one == 1
    several = model.run_inference(data['data_val'])
    assert isinstance(several, np.ndarray)
    assert several.dtype == np.int64
    assert np.array_equal(several, data['labels_val'])
    assert np.array_equal(model.run_inference(data['data_val'][1:2]), [1])


def test_accuracy_is_a_fraction_of_the_embeddings() -> None:
    model = SoftmaxRegression()
    model.weights = np.eye(3)
    share = model.get_accuracy(np.eye(3)[[0, 1, 2, 2]], np.array([0, 1, 2, 0]))
    assert type(share) is float
    assert share == 0.75
    assert model.get_accuracy(np.eye(3)[1], [1]) == 1.0


@pytest.mark.parametrize('label', [1, np.int64(1), [1], [0, 1, 0], np.array([0.0, 1.0, 0.0])])
def test_the_accuracy_of_one_embedding_takes_one_label(label: Any) -> None:
    model = SoftmaxRegression()
    model.weights = np.eye(3)
    assert model.get_accuracy(np.eye(3)[1], label) == 1.0
    assert model.get_accuracy(np.eye(3)[2], label) == 0.0
    with pytest.raises(ValueError, match='labels'):
        model.get_accuracy(np.eye(3)[1], [1, 2])


def test_parameters_have_the_names_of_corals_class() -> None:
    model = trained(clusters())
    assert list(model.params) == ['mat_w', 'vec_b']
    assert model.params['mat_w'] is model.weights
    assert model.params['vec_b'] is model.bias
    assert (model.min_score, model.max_score) == model.logit_range
    assert model.min_score < 0.0 < model.max_score
    saved = {name: array.copy() for name, array in model.params.items()}
    other = SoftmaxRegression(8, 3)
    other.params['mat_w'] = saved['mat_w']
    other.params['vec_b'] = saved['vec_b']
    assert np.array_equal(other.weights, model.weights)
    with pytest.raises(ValueError, match='weights has shape'):
        other.params['mat_w'] = np.zeros((2, 2), np.float32)
    with pytest.raises(KeyError):
        other.params['mat_x'] = saved['mat_w']


@pytest.mark.parametrize(
    ('rows', 'labels'),
    [(np.empty((0, 8)), np.empty(0, int)), ([], []), (np.empty((0, 8)), np.empty((0, 3)))],
)
def test_without_validation_data_it_trains_and_prints(
    rows: Any, labels: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    data = clusters() | {'data_val': rows, 'labels_val': labels}
    reports: list[tuple[float, ...]] = []

    def callback(*report: float) -> None:
        reports.append(report)

    model = SoftmaxRegression(seed=0)
    model.train_with_sgd(data, 41, 0.1, 20, 20, callback=callback)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all(re.fullmatch(r'iter \d+ loss [0-9.]+ train_acc [0-9.]+', line) for line in lines)
    assert reports[-1][2] == 1.0
    assert np.isnan(reports[-1][3])


def test_it_prints_and_calls_back_at_0_n_2n(capsys: pytest.CaptureFixture[str]) -> None:
    data = clusters()
    reports: list[tuple[int, float, float, float]] = []

    def callback(iteration: int, loss: float, train: float, validation: float) -> None:
        reports.append((iteration, loss, train, validation))

    model = SoftmaxRegression(seed=0)
    model.train_with_sgd(data, 45, 0.1, 20, 20, callback=callback)

    lines = capsys.readouterr().out.splitlines()
    assert [report[0] for report in reports] == [0, 20, 40]
    numbers = r'iter (\d+) loss ([0-9.]+) train_acc ([0-9.]+) val_acc ([0-9.]+)'
    printed = [re.fullmatch(numbers, line) for line in lines]
    assert len(printed) == 3
    for match, report in zip(printed, reports, strict=True):
        assert match is not None
        assert [float(group) for group in match.groups()] == pytest.approx(report, abs=1e-4)
    assert reports[0][1] == pytest.approx(np.log(3.0), abs=0.1)
    assert reports[-1][1] < 0.1
    assert reports[-1][2:] == (1.0, 1.0)


def test_reported_accuracies_are_those_after_the_iteration() -> None:
    data = clusters()
    model = SoftmaxRegression(seed=0)
    reports: list[tuple[float, ...]] = []

    def stop(*report: float) -> bool:
        reports.append(report)
        return True

    model.train_with_sgd(data, 10, 0.1, 5, 1, callback=stop)
    assert reports[0][2] == model.get_accuracy(data['data_train'], data['labels_train'])
    assert reports[0][3] == model.get_accuracy(data['data_val'], data['labels_val'])


def test_print_every_0_and_silent_print_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    data = clusters()
    calls: list[int] = []
    model = SoftmaxRegression(seed=0)
    model.train_with_sgd(data, 5, 0.1, print_every=0, callback=lambda *_: calls.append(1))
    assert calls == []
    model.train_with_sgd(
        data, 5, 0.1, print_every=2, callback=lambda *_: calls.append(1), silent=True
    )
    assert calls == [1, 1, 1]
    assert capsys.readouterr().out == ''


@pytest.mark.parametrize('truth', [True, np.True_])
def test_the_callback_stops_the_training_by_returning_true(truth: bool) -> None:
    data = clusters()
    iterations: list[int] = []

    def callback(iteration: int, *_: float) -> bool:
        iterations.append(iteration)
        return truth if iteration >= 6 else False

    stopped = SoftmaxRegression(seed=0)
    stopped.train_with_sgd(data, 1000, 0.1, print_every=3, callback=callback, silent=True)
    assert iterations == [0, 3, 6]
    assert np.array_equal(stopped.weights, trained(data, num_iter=7).weights)


def test_should_stop_ends_the_training_before_the_next_iteration() -> None:
    data = clusters()
    answers = iter([False] * 4 + [True])
    stopped = SoftmaxRegression(seed=0)
    stopped.train_with_sgd(data, 1000, 0.1, print_every=0, should_stop=lambda: next(answers))
    assert np.array_equal(stopped.weights, trained(data, num_iter=4).weights)


def test_a_batch_may_be_larger_than_the_data() -> None:
    data = clusters(count=9)
    model = SoftmaxRegression(seed=0)
    model.train_with_sgd(data, 50, 0.1, batch_size=500, print_every=0)
    assert model.get_accuracy(data['data_train'], data['labels_train']) == 1.0


def test_the_logit_range_is_that_of_the_final_weights_on_the_training_embeddings() -> None:
    data = clusters()
    model = SoftmaxRegression(8, 3, seed=0)
    assert model.logit_range == (0.0, 0.0)
    model.logit_range = (-1e6, 1e6)
    model.train_with_sgd(data, 60, 0.1, print_every=0)
    logits = data['data_train'] @ model.weights + model.bias
    assert model.logit_range == pytest.approx((logits.min(), logits.max()), rel=1e-6)


def test_the_logit_range_is_right_after_an_interrupted_training() -> None:
    data = clusters()
    model = SoftmaxRegression(8, 3, seed=0)

    def interrupt(*_: float) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.train_with_sgd(data, 60, 0.1, print_every=1, callback=interrupt, silent=True)
    logits = data['data_train'] @ model.weights + model.bias
    assert model.logit_range == pytest.approx((logits.min(), logits.max()), rel=1e-6)


def test_train_step_widens_the_logit_range_by_the_logits_before_the_step() -> None:
    model = SoftmaxRegression()
    model.weights = [[2.0, 1.0]]
    model.train_step([[1.0]], [0], 0.0)
    assert model.logit_range == (1.0, 2.0)
    model.train_step([[3.0]], [0], 0.0)
    assert model.logit_range == (1.0, 6.0)
    model.train_step([[2.0]], [1], 10.0)
    assert model.logit_range == (1.0, 6.0)
    model.logit_range = (0.0, 0.0)
    model.train_step([[-0.5]], [0], 0.0)
    assert model.logit_range[1] < 6.0


def test_huge_logits_never_become_nan() -> None:
    model = SoftmaxRegression()
    model.weights = [[1e6, -1e6], [3e5, 8e5]]
    rng = np.random.default_rng(0)
    for scale in (1.0, 1e3, 1e6):
        batch = scale * rng.standard_normal((16, 2))
        loss = model.train_step(batch, rng.integers(0, 2, 16), 0.1)
        assert np.isfinite(loss)
        assert np.isfinite(model.weights).all()
        assert np.isfinite(model.bias).all()
        assert np.isin(model.run_inference(batch), [0, 1]).all()


def test_divergence_is_an_error_that_names_the_learning_rate_and_leaves_finite_weights() -> None:
    data = clusters()
    model = SoftmaxRegression(reg=1.0, seed=0)
    with pytest.raises(TrainingDiverged, match=r'learning_rate 100 \(reg 1\)'):
        model.train_with_sgd(data, 10_000, 100.0, print_every=0)
    assert np.isfinite(model.weights).all()
    assert np.isfinite(model.logit_range).all()


def test_a_copy_trains_like_its_original() -> None:
    data = clusters()
    model = trained(data)
    model.train_step(data['data_val'], data['labels_val'], 0.1)
    twin = copy.deepcopy(model)
    for _ in range(3):
        for each in (model, twin):
            each.train_step(data['data_val'], data['labels_val'], 0.1)
    assert np.array_equal(model.weights, twin.weights)
    assert np.array_equal(model.bias, twin.bias)


def test_train_step_sees_weights_that_were_assigned_or_changed_in_place() -> None:
    model = SoftmaxRegression(1, 2, seed=0)
    batch, labels = np.ones((4, 1)), np.array([0, 0, 0, 0])
    model.train_step(batch, labels, 0.0)
    model.weights = [[50.0, 0.0]]
    assert model.train_step(batch, labels, 0.0) == pytest.approx(0.0, abs=1e-6)
    model.weights[:] = 0.0
    assert model.train_step(batch, labels, 0.0) == pytest.approx(np.log(2.0))
    model.bias = [0.0, 50.0]
    assert model.train_step(batch, labels, 0.0) == pytest.approx(50.0)


def test_the_callers_arrays_are_never_written_to() -> None:
    data = clusters()
    kept = {key: array.copy() for key, array in data.items()}
    for array in data.values():
        array.setflags(write=False)
    model = trained(data)
    model.train_step(data['data_train'], data['labels_train'], 0.1)
    model.get_accuracy(data['data_val'], data['labels_val'])
    for key, array in data.items():
        assert np.array_equal(array, kept[key])
