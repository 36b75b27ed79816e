# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Tasks beside plain accuracy that matter on a robot, on a set of embeddings."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from benchmarks.learning.embedding_sets import EmbeddingSet
from benchmarks.learning.recipes import class_means, default_training, logistic_regression, Rows
from edgetpu_retrain.learning import fit, FloatArray, Head
from edgetpu_retrain.learning.default_training.calibration import expected_calibration_error
from edgetpu_retrain.learning.head import softmax
from edgetpu_retrain.model_file.head.quantized_head import quantize_head
from edgetpu_retrain.model_file.quantization import QuantizationParameters
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

Figures = dict[str, float]
_FEW_SEEDS = 20
_SPLITS = 5
# Of class means in each direction, in units of the noise.
_FLAT_DISTANCE = 0.12


def split(count: int, seed: int) -> tuple[Rows, Rows]:
    """Return the rows of a training set (80 %) and of a test set."""
    order = np.random.RandomState(seed).permutation(count)
    train, test = np.split(order, [int(0.8 * count)])
    return train, test


def few_samples(data: EmbeddingSet, samples: int) -> Figures:
    """Return mean accuracies (%) after training on this many samples per class."""
    recipes = {
        'fit': default_training,
        'logistic_regression_C0.1': logistic_regression(0.1),
        'class_means': class_means,
    }
    right: dict[str, list[float]] = {name: [] for name in recipes}
    for seed in range(_FEW_SEEDS):
        order = np.random.RandomState(seed).permutation(len(data.labels))
        labels = data.labels[order]
        taken = np.zeros(len(order), bool)
        for number in range(data.num_classes):
            taken[np.flatnonzero(labels == number)[:samples]] = True
        test = data.floats(order[~taken])
        for name, recipe in recipes.items():
            predicted = np.argmax(recipe(data, order[taken])(test), axis=1)
            right[name].append(100 * float(np.mean(predicted == labels[~taken])))
    return {name: round(float(np.mean(values)), 2) for name, values in right.items()}


def unknowns(data: EmbeddingSet) -> Figures:
    """Return mean AUROCs of the unknown score, and the pooled calibration error."""
    ours, rival = [], []
    probabilities, truth, rejected = [], [], []
    for seed in range(_SPLITS):
        rng = np.random.RandomState(seed)
        known = rng.permutation(data.num_classes)[: round(data.num_classes * 12 / 17)]
        number = np.full(data.num_classes, -1)
        number[known] = np.arange(len(known))
        rows = np.flatnonzero(number[data.labels] >= 0)
        rows = rows[rng.permutation(len(rows))]
        renamed = replace(data, labels=number[data.labels])
        train, test = np.split(rows, [int(0.8 * len(rows))])
        unknown = np.flatnonzero(number[data.labels] < 0)
        head = _fit(renamed, train)
        regression = logistic_regression(0.1)(renamed, train)
        is_unknown = np.repeat([False, True], [len(test), len(unknown)])
        both = data.floats(np.concatenate([test, unknown]))
        scores = head.unknown_scores(both)
        ours.append(roc_auc_score(is_unknown, scores))
        rival.append(roc_auc_score(is_unknown, -regression(both).max(axis=1)))
        probabilities.append(head.predict_proba(both[: len(test)]))
        truth.append(renamed.labels[test])
        rejected.append(np.mean(scores[: len(test)] > head.unknown_threshold))
    error = expected_calibration_error(np.concatenate(probabilities), np.concatenate(truth))
    return {
        'auroc': round(float(np.mean(ours)), 4),
        'auroc_logistic_regression_C0.1': round(float(np.mean(rival)), 4),
        'calibration_error_pooled': round(error, 4),
        'known_rejected': round(float(np.mean(rejected)), 4),
    }


def added_class(data: EmbeddingSet) -> Figures:
    """Return accuracies (%) and iterations of full and warm training with one more class."""
    full, warm, iterations = [], [], []
    last = data.num_classes - 1
    for seed in range(_SPLITS):
        train, test = split(len(data.labels), seed)
        earlier = _fit(replace(data), train[data.labels[train] < last])
        complete, added = _fit(data, train), _fit(data, train, initial=earlier)
        embeddings, truth = data.floats(test), data.labels[test]
        full.append(100 * float(np.mean(complete.predict(embeddings) == truth)))
        warm.append(100 * float(np.mean(added.predict(embeddings) == truth)))
        iterations.append([_iterations(complete), _iterations(added)])
    means = np.mean(iterations, axis=0)
    return {
        'full': round(float(np.mean(full)), 2),
        'warm': round(float(np.mean(warm)), 2),
        'full_iterations': float(means[0]),
        'warm_iterations': float(means[1]),
    }


def quantized(data: EmbeddingSet) -> Figures:
    """
    Return what quantization of the head changes, in % of the test samples.

    For each type: how often the class with the highest score is the float head's, and how often
    two classes share the highest score; by the scores of the file (``file``), by its logits
    (``logits``), and by the scores that the node computes from its weights (``served``).
    """
    found: dict[str, list[npt.NDArray[np.bool_]]] = {}
    for seed in range(_SPLITS):
        train, test = split(len(data.labels), seed)
        head = _fit(data, train)
        by_float = head.predict(data.floats(test))
        kinds: tuple[Literal['uint8', 'int8'], ...] = ('uint8', 'int8')
        for kind in kinds:
            stored = data.raw[test].astype(np.int64) - np.iinfo(data.raw.dtype).min
            stored += np.iinfo(kind).min
            shift = np.iinfo(kind).min - np.iinfo(data.raw.dtype).min
            embedding = QuantizationParameters(data.scale, data.zero_point + int(shift))
            for name, scores in _quantized_scores(head, kind, embedding, stored).items():
                same = np.argmax(scores, axis=1) == by_float
                found.setdefault(f'{kind}_{name}', []).append(same)
                highest = np.sort(scores, axis=1)[:, -2:]
                ties = highest[:, 0] == highest[:, 1]
                found.setdefault(f'{kind}_{name}_ties', []).append(ties)
    return {name: round(100 * float(np.mean(np.concatenate(v))), 2) for name, v in found.items()}


def flat_spectrum(samples: int) -> Figures:
    """
    Return mean accuracies (%) on class means with equal noise in all 1280 directions.

    Args:
        samples: training samples of all 20 classes together.
    """
    right: dict[str, list[float]] = {'fit': [], 'logistic_regression_C0.1': []}
    for seed in range(_SPLITS):
        rng = np.random.default_rng(seed)
        means = rng.normal(0.0, _FLAT_DISTANCE, (20, 1280))
        labels, truth = np.arange(samples) % 20, np.arange(4000) % 20
        known = (means[labels] + rng.normal(size=(samples, 1280))).astype(np.float32)
        test = (means[truth] + rng.normal(size=(4000, 1280))).astype(np.float32)
        regression = LogisticRegression(C=0.1, max_iter=100).fit(known, labels)
        for name, predicted in (
            ('fit', fit(known, labels, seed=seed).predict(test)),
            ('logistic_regression_C0.1', regression.predict(test)),
        ):
            right[name].append(100 * float(np.mean(predicted == truth)))
    return {name: round(float(np.mean(values)), 2) for name, values in right.items()}


def _quantized_scores(
    head: Head,
    kind: Literal['uint8', 'int8'],
    embedding: QuantizationParameters,
    stored: npt.NDArray[np.int64],
) -> dict[str, FloatArray]:
    """Return scores and logits of the file, as integer kernels compute them, and served scores."""
    tensors = quantize_head(head, kind, embedding)
    weights, bias, logits = (
        tensors.weights_quantization,
        tensors.bias_quantization,
        tensors.logits,
    )
    if weights is None or bias is None or logits is None:
        raise RuntimeError('the head was not quantized')
    centred = tensors.weights.astype(np.int64) - weights.zero_point
    sums = ((stored - embedding.zero_point) @ centred.T + tensors.bias).astype(np.float32)
    limits = np.iinfo(kind)
    steps = np.rint(sums * (bias.scale / logits.scale)) + logits.zero_point
    values = (np.clip(steps, limits.min, limits.max) - logits.zero_point) * logits.scale
    in_file = np.minimum(np.rint(256 * softmax(values)), 255)
    return {'file': in_file, 'logits': values, 'served': softmax(sums * np.float32(bias.scale))}


def _fit(data: EmbeddingSet, rows: Rows, initial: Head | None = None) -> Head:
    return fit(
        data.raw[rows],
        data.labels[rows],
        scale=data.scale,
        zero_point=data.zero_point,
        initial=initial,
    )


def _iterations(head: Head) -> int:
    if head.metrics is None:
        raise RuntimeError('fit returned no metrics')
    return head.metrics.iterations
