# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Argument validation of the numerical API, through its public functions."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain import SoftmaxRegression
import numpy as np
import pytest


def good_data() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        'data_train': rng.standard_normal((6, 4)).astype(np.float32),
        'labels_train': np.array([0, 1, 2, 0, 1, 2]),
        'data_val': rng.standard_normal((3, 4)).astype(np.float32),
        'labels_val': np.array([0, 1, 2]),
    }


def with_nan() -> Any:
    embeddings = good_data()['data_train']
    embeddings[3, 2] = np.nan
    return embeddings


BAD_DATA: list[tuple[dict[str, Any], str]] = [
    ({'data_train': np.zeros((0, 4))}, r"\['data_train'\] has shape \(0, 4\).*at least one"),
    ({'data_train': []}, r"\['data_train'\] has shape \(0,\)"),
    ({'data_train': np.zeros(4)}, r"\['data_train'\] has shape \(4,\); it must be \[N, 4\]"),
    ({'data_train': np.zeros((6, 1, 1, 4))}, r'shape \(6, 1, 1, 4\)'),
    ({'data_train': np.zeros((6, 5))}, r'must be \[N, 4\].*\(feature_dim\) is 4'),
    ({'data_train': np.zeros((5, 4))}, r"\['labels_train'\] has 6 entries; there must be 5"),
    ({'data_train': with_nan()}, r"\['data_train'\] holds nan at \[3, 2\].*finite"),
    ({'data_train': np.full((6, 4), 1e39)}, r'holds inf at \[0, 0\]'),
    ({'data_train': np.full((6, 4), 1j)}, 'has dtype complex128; it must hold real numbers'),
    ({'data_train': np.full((6, 4), 'x')}, 'must hold real numbers'),
    ({'data_train': np.full((6, 4), None)}, 'has dtype object'),
    # Up to 1.23 numpy makes an array of objects of it.
    ({'data_train': [[1.0], [1.0, 2.0]]}, r"\['data_train'\] (is not an array|has dtype object)"),
    ({'data_train': None}, 'has dtype object'),
    ({'data_val': np.zeros((0, 4))}, r"\['data_val'\] has shape \(0, 4\)"),
    ({'data_val': np.zeros((3, 3))}, r"\['data_val'\] has shape \(3, 3\)"),
    ({'data_val': np.full((3, 4), -np.inf)}, r"\['data_val'\] holds -inf at \[0, 0\]"),
    ({'labels_train': np.array([0, 1, 3, 0, 1, 2])}, r"train'\] holds class 3;.*0\.\.2"),
    ({'labels_train': np.array([0, 1, -1, 0, 1, 2])}, r"train'\] holds class -1;.*0\.\.2"),
    ({'labels_train': np.array([0, 1, 2, 0, 1, 2.5])}, 'dtype float64.*must be integers'),
    ({'labels_train': np.array([True] * 6)}, 'dtype bool.*must be integers'),
    ({'labels_train': ['cat'] * 6}, 'they must be integers'),
    ({'labels_train': []}, r"\['labels_train'\] has shape \(0,\)"),
    ({'labels_train': 3}, r"\['labels_train'\] has shape \(\)"),
    ({'labels_train': np.zeros((6, 1), int)}, r'integer class indices \[6\] or one-hot rows \[6'),
    ({'labels_train': np.eye(4)[[0, 1, 2, 0, 1, 2]]}, r'shape \(6, 4\).*one-hot rows \[6, 3\]'),
    ({'labels_train': np.eye(3)[[0, 1, 2]]}, r'shape \(3, 3\).*one-hot rows \[6, 3\]'),
    ({'labels_train': np.ones((6, 3))}, 'rows that are not one-hot'),
    ({'labels_train': 0.5 * np.eye(3)[[0, 1, 2, 0, 1, 2]]}, 'rows that are not one-hot'),
    ({'labels_train': np.full((6, 3), np.nan)}, 'rows that are not one-hot'),
    ({'labels_val': np.array([0, 1, 9])}, r"\['labels_val'\] holds class 9"),
    ({'labels_val': np.array([0, 1])}, r"\['labels_val'\] has 2 entries; there must be 3"),
]


@pytest.mark.parametrize(('wrong', 'message'), BAD_DATA)
def test_bad_data_is_rejected_and_changes_nothing(wrong: dict[str, Any], message: str) -> None:
    model = SoftmaxRegression(4, 3, seed=0)
    before = model.weights.copy()
    with pytest.raises(ValueError, match=message):
        model.train_with_sgd({**good_data(), **wrong}, 5, 0.1, print_every=0)
    assert np.array_equal(model.weights, before)
    assert model.logit_range == (0.0, 0.0)


@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        ({'labels_train': [0] * 6, 'labels_val': [0] * 3}, 'num_classes, taken from the labels'),
        ({'labels_train': [0, 1, 2, 3, 4, 10**9]}, r'num_classes 1000000001 would need'),
        ({'labels_train': [0, 1, 2, 3, 4, -7]}, r'holds class -7; allowed are the classes 0\.\.'),
        ({'data_val': np.zeros((3, 9))}, r'must be \[N, 4\]'),
    ],
)
def test_data_without_sizes_leaves_the_model_without_sizes(
    wrong: dict[str, Any], message: str
) -> None:
    model = SoftmaxRegression()
    with pytest.raises(ValueError, match=message):
        model.train_with_sgd({**good_data(), **wrong}, 5, 0.1, print_every=0)
    assert (model.feature_dim, model.num_classes) == (None, None)


@pytest.mark.parametrize('key', sorted(good_data()))
def test_a_missing_key_is_named(key: str) -> None:
    data = good_data()
    del data[key]
    with pytest.raises(ValueError, match=f'data lacks {key}; it must have data_train, '):
        SoftmaxRegression().train_with_sgd(data, 5, 0.1)


@pytest.mark.parametrize('data', [None, [1, 2], 'data'])
def test_data_other_than_a_dict_is_rejected(data: Any) -> None:
    with pytest.raises(ValueError, match=r'data is a .*; it must be a dict with data_train'):
        SoftmaxRegression().train_with_sgd(data, 5, 0.1)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'num_iter': 0}, 'num_iter is 0; it must be 1 or more'),
        ({'num_iter': 1.5}, 'num_iter is 1.5; it must be a whole number'),
        ({'num_iter': None}, 'num_iter is None'),
        ({'learning_rate': 0.0}, 'learning_rate is 0.0; it must be a finite number, above 0'),
        ({'learning_rate': -0.1}, 'learning_rate is -0.1'),
        ({'learning_rate': float('nan')}, 'learning_rate is nan'),
        ({'learning_rate': 'fast'}, "learning_rate is 'fast'"),
        ({'batch_size': 0}, 'batch_size is 0; it must be 1 or more'),
        ({'batch_size': 10.0}, 'batch_size is 10.0'),
        ({'batch_size': 10**9}, r'batch_size 1000000000 would need 14\.9 GiB'),
        ({'print_every': -1}, 'print_every is -1; it must be 0 or more'),
    ],
)
def test_training_arguments_out_of_range_are_rejected(
    arguments: dict[str, Any], message: str
) -> None:
    model = SoftmaxRegression()
    with pytest.raises(ValueError, match=message):
        model.train_with_sgd(
            **{'data': good_data(), 'num_iter': 5, 'learning_rate': 0.1, **arguments}
        )
    assert model.feature_dim is None


@pytest.mark.parametrize('settled', [True, False])
@pytest.mark.parametrize(
    ('batch', 'labels', 'rate', 'message'),
    [
        (with_nan(), [0, 1, 2, 0, 1, 2], 0.1, r'mat_x holds nan at \[3, 2\]'),
        (np.full((1, 4), np.inf), [2], 0.1, r'mat_x holds inf at \[0, 0\]'),
        (np.zeros((0, 4)), [], 0.1, r'mat_x has shape \(0, 4\)'),
        (np.zeros(4), [0], 0.1, r'mat_x has shape \(4,\)'),
        (np.zeros((2, 4)), [0], 0.1, 'labels has 1 entries; there must be 2'),
        (np.zeros((2, 4)), [0, -1], 0.1, r'labels holds class -1'),
        (np.zeros((2, 4)), [0.0, 1.0], 0.1, 'labels has dtype float64'),
        (np.zeros((2, 4)), [0, 1], -0.1, 'learning_rate is -0.1; it must be .* 0 or more'),
        (np.zeros((2, 4)), [0, 1], np.nan, 'learning_rate is nan'),
        (np.zeros((2, 4)), [0, 1], None, 'learning_rate is None'),
    ],
)
def test_a_bad_step_is_rejected_and_changes_nothing(
    settled: bool, batch: Any, labels: Any, rate: Any, message: str
) -> None:
    model = SoftmaxRegression(4, 3, seed=0) if settled else SoftmaxRegression()
    before = model.weights.copy() if settled else None
    with pytest.raises(ValueError, match=message):
        model.train_step(batch, labels, rate)
    if before is None:
        assert (model.feature_dim, model.num_classes) == (None, None)
    else:
        assert np.array_equal(model.weights, before)
    assert model.logit_range == (0.0, 0.0)


def test_step_and_inference_reject_mismatched_sizes() -> None:
    model = SoftmaxRegression(4, 3, seed=0)
    with pytest.raises(ValueError, match=r'mat_x has shape \(1, 5\).*\(feature_dim\) is 4'):
        model.train_step(np.zeros((1, 5)), [0], 0.1)
    with pytest.raises(ValueError, match=r'labels holds class 3; allowed are the classes 0\.\.2'):
        model.train_step(np.zeros((1, 4)), [3], 0.1)
    for shape in ((5,), (2, 5), (2, 2, 4), (0, 4), ()):
        with pytest.raises(ValueError, match='mat_x has shape'):
            model.run_inference(np.zeros(shape))
    with pytest.raises(ValueError, match=r'mat_x holds nan at \[0, 1\]'):
        model.run_inference([0.0, np.nan, 0.0, 0.0])
    with pytest.raises(ValueError, match=r'mat_x has shape \(0, 4\)'):
        model.get_accuracy(np.zeros((0, 4)), [])
    with pytest.raises(ValueError, match='labels has 2 entries; there must be 1'):
        model.get_accuracy(np.zeros((1, 4)), [0, 1])
    with pytest.raises(ValueError, match='labels holds class 3'):
        model.get_accuracy(np.zeros((1, 4)), [3])


def test_logits_beyond_float32_are_rejected_by_a_step() -> None:
    model = SoftmaxRegression()
    model.weights = [[1e20, -1e20]]
    with pytest.raises(ValueError, match=r'logits of this batch reach from -inf to'):
        model.train_step([[1e30], [-1e3]], [0, 1], 0.1)
    assert model.weights == pytest.approx(np.array([[1e20, -1e20]]))
