# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The recipes that the default training is compared with, with a common interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.learning.embedding_sets import EmbeddingSet
from edgetpu_retrain import SoftmaxRegression
from edgetpu_retrain.learning import fit, FloatArray
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

Rows = npt.NDArray[np.int64]
# From samples [M, D] to scores [M, C]; the class with the largest score is the prediction.
Predictor = Callable[[FloatArray], npt.NDArray[Any]]
Recipe = Callable[[EmbeddingSet, Rows], Predictor]


def coral(data: EmbeddingSet, rows: Rows) -> Predictor:
    """Train as in Coral's example: 500 iterations, learning rate 0.01, batches of 100."""
    embeddings, labels = data.floats(rows), data.labels[rows]
    model = SoftmaxRegression(embeddings.shape[1], data.num_classes, weight_scale=0.05, seed=0)
    parts: dict[str, Any] = {'data_train': embeddings, 'labels_train': labels}
    parts |= {'data_val': embeddings[:1], 'labels_val': labels[:1]}
    model.train_with_sgd(parts, 500, 0.01, 100, 0, silent=True)
    return model.head().logits


def logistic_regression(strength: float) -> Recipe:
    """Return a recipe with scikit-learn's LogisticRegression and C = strength."""

    def recipe(data: EmbeddingSet, rows: Rows) -> Predictor:
        model = LogisticRegression(C=strength, max_iter=300)
        model.fit(data.floats(rows), data.labels[rows])
        return model.predict_proba  # type: ignore[no-any-return]

    return recipe


def class_means(data: EmbeddingSet, rows: Rows) -> Predictor:
    """Compute class means, and compare with them by the cosine."""
    embeddings, labels = data.floats(rows), data.labels[rows]
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    means = np.stack([embeddings[labels == c].mean(axis=0) for c in range(data.num_classes)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return lambda others: others @ means.T


def default_training(data: EmbeddingSet, rows: Rows) -> Predictor:
    """Train with ``fit``, including everything that it returns."""
    head = fit(
        data.raw[rows],
        data.labels[rows],
        scale=data.scale,
        zero_point=data.zero_point,
        num_classes=data.num_classes,
    )
    return head.logits


RECIPES: dict[str, Recipe] = {
    'coral': coral,
    'logistic_regression_C1': logistic_regression(1.0),
    'logistic_regression_C0.1': logistic_regression(0.1),
    'class_means': class_means,
    'fit': default_training,
}
