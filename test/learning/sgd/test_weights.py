# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain import SoftmaxRegression
import numpy as np
import pytest


def test_assigned_weights_and_bias_are_float32_copies_of_known_size() -> None:
    model = SoftmaxRegression()
    weights = np.arange(6, dtype=np.float64).reshape(3, 2)
    model.weights = weights
    assert (model.feature_dim, model.num_classes) == (3, 2)
    assert not model.bias.any()
    model.bias = [1, 2]
    weights[:] = -1.0
    assert model.weights.tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert model.weights.dtype == model.bias.dtype == np.float32
    assert model.weights.flags.f_contiguous


def test_assigned_float32_arrays_are_copied_too() -> None:
    weights, bias = np.ones((2, 2), np.float32), np.ones(2, np.float32)
    model = SoftmaxRegression()
    model.weights, model.bias = weights, bias
    weights[:], bias[:] = 7.0, 7.0
    assert model.weights.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert model.bias.tolist() == [1.0, 1.0]


def test_a_bias_assigned_before_the_weights_are_known_is_kept() -> None:
    model = SoftmaxRegression(seed=0)
    model.bias = [0.5, -0.5, 0.0]
    assert model.num_classes == 3
    model.train_step(np.eye(4)[:2], [0, 1], 0.0)
    assert model.bias.tolist() == [0.5, -0.5, 0.0]
    assert model.weights.shape == (4, 3)


def test_the_logit_range_is_a_pair_of_floats() -> None:
    model = SoftmaxRegression(2, 2)
    model.logit_range = np.array([-1.5, 2.25], np.float32)
    assert model.logit_range == (-1.5, 2.25)
    assert [type(limit) for limit in model.logit_range] == [float, float]
    model.logit_range = (np.inf, -np.inf)
    assert model.logit_range == (0.0, 0.0)


def test_the_head_is_a_copy_with_labels_and_range() -> None:
    model = SoftmaxRegression(2, 2, seed=0)
    model.logit_range = (-1.0, 1.0)
    head = model.head(['cat', 'dog'])
    assert head.labels == ('cat', 'dog')
    assert head.logit_range == (-1.0, 1.0)
    before = head.weights.copy()
    model.train_step(np.eye(2), [0, 1], 1.0)
    assert np.array_equal(head.weights, before)
    assert model.head().labels == ()


@pytest.mark.parametrize(
    ('attribute', 'value', 'message'),
    [
        ('weights', np.zeros((3, 4)), r'weights has shape \(3, 4\).*must be \[2, 3\]'),
        ('weights', np.zeros((2, 4)), r'weights has shape \(2, 4\).*must be \[2, 3\]'),
        ('weights', np.zeros(6), r'weights has shape \(6,\)'),
        ('weights', [[np.nan, 0, 0], [0, 0, 0]], r'weights holds nan at \[0, 0\]'),
        ('weights', [['a', 'b', 'c']], 'weights has dtype'),
        ('bias', np.zeros(2), r'bias has shape \(2,\); it must be \[3\]'),
        ('bias', [0.0, np.inf, 0.0], r'bias holds inf at \[1\]'),
        ('bias', 1.0, r'bias has shape \(\)'),
        ('logit_range', (1.0, -1.0), r'logit_range is \(1.0, -1.0\).*min <= max'),
        ('logit_range', (0.0, np.inf), 'logit_range is .* finite'),
        ('logit_range', (np.nan, 1.0), 'logit_range is .* finite'),
        ('logit_range', 3.0, 'two numbers'),
        ('logit_range', ('a', 'b'), 'two numbers'),
    ],
)
def test_mismatched_values_are_rejected_and_change_nothing(
    attribute: str, value: object, message: str
) -> None:
    model = SoftmaxRegression(2, 3, seed=0)
    before = model.weights.copy(), model.bias.copy(), model.logit_range
    with pytest.raises(ValueError, match=message):
        setattr(model, attribute, value)
    assert np.array_equal(model.weights, before[0])
    assert np.array_equal(model.bias, before[1])
    assert model.logit_range == before[2]


def test_a_model_without_sizes_names_the_missing_size() -> None:
    model = SoftmaxRegression(feature_dim=3)
    with pytest.raises(ValueError, match=r'there are no weights yet: .* or train first'):
        _ = model.weights
    with pytest.raises(ValueError, match='there is no bias yet'):
        _ = model.bias
    with pytest.raises(ValueError, match='no weights yet'):
        model.run_inference(np.zeros(3))
    with pytest.raises(ValueError, match='no weights yet'):
        model.get_accuracy(np.zeros((1, 3)), [0])
    with pytest.raises(ValueError, match='no weights yet'):
        model.serialize_model('extractor.tflite')
    with pytest.raises(ValueError, match=r'weights has shape \(3, 1\).*must be \[3, 2\]'):
        model.weights = np.zeros((3, 1))


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'feature_dim': 0}, 'feature_dim is 0; it must be 1 or more'),
        ({'feature_dim': 2.5}, 'feature_dim is 2.5; it must be a whole number'),
        ({'feature_dim': True}, 'feature_dim is True'),
        ({'num_classes': 1}, 'num_classes is 1; it must be 2 or more'),
        ({'num_classes': -3}, 'num_classes is -3'),
        ({'num_classes': '3'}, "num_classes is '3'"),
        ({'weight_scale': -0.1}, 'weight_scale is -0.1; it must be a finite number, 0 or more'),
        ({'weight_scale': float('nan')}, 'weight_scale is nan'),
        ({'feature_dim': 9, 'num_classes': 9, 'weight_scale': 1e39}, 'weight_scale 1e.39 holds'),
        ({'reg': -1e-9}, 'reg is -1e-09'),
        ({'reg': float('inf')}, 'reg is inf'),
        ({'reg': '0'}, "reg is '0'"),
        ({'reg': 10**400}, 'reg is 1000'),
        ({'seed': -1}, 'seed is -1; it must be 0 or more'),
        ({'seed': 0.5}, 'seed is 0.5'),
        ({'feature_dim': 10**6, 'num_classes': 10**6}, r'would need 3725\.3 GiB'),
    ],
)
def test_constructor_arguments_out_of_range_are_rejected(
    arguments: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        SoftmaxRegression(**arguments)  # type: ignore[arg-type]
