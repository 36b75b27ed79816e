# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Classifiers of scikit-learn that choose their regularization themselves, as baselines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgetpu_retrain.learning import FloatArray, IntArray
import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

# From samples [N, D], their classes [N], and other samples [M, D] to the classes of those, [M].
Rival = Callable[[FloatArray, IntArray, FloatArray], npt.NDArray[Any]]

_STRENGTHS = (0.01, 0.1, 1.0)
_FOLDS = 3
_ALPHAS = np.logspace(0, 5, 11)


def logistic_regression_cv(
    embeddings: FloatArray, labels: IntArray, others: FloatArray
) -> npt.NDArray[Any]:
    """Classify by logistic regression, its strength chosen by cross-validation."""
    search = GridSearchCV(LogisticRegression(max_iter=200), {'C': _STRENGTHS}, cv=_FOLDS)
    # Rotating samples into the space that they span changes nothing but the time.
    return _predicted(make_pipeline(PCA(svd_solver='full'), search), embeddings, labels, others)


def ridge_loo(embeddings: FloatArray, labels: IntArray, others: FloatArray) -> npt.NDArray[Any]:
    """Classify by ridge regression, its strength chosen by leave-one-out."""
    return _predicted(RidgeClassifierCV(alphas=_ALPHAS), embeddings, labels, others)


def lda_shrinkage(
    embeddings: FloatArray, labels: IntArray, others: FloatArray
) -> npt.NDArray[Any]:
    """Classify by linear discriminant analysis, with the shrinkage of Ledoit and Wolf."""
    model = LinearDiscriminantAnalysis(solver='eigen', shrinkage='auto')
    return _predicted(model, embeddings, labels, others)


def centred_cosine(
    embeddings: FloatArray, labels: IntArray, others: FloatArray
) -> npt.NDArray[Any]:
    """Classify by the nearest class mean, by the cosine of centred embeddings."""
    center = embeddings.mean(axis=0)
    samples, others = _directions(embeddings - center), _directions(others - center)
    numbers = np.unique(labels)
    means = np.stack([samples[labels == number].mean(axis=0) for number in numbers])
    nearest: IntArray = numbers[np.argmax(others @ _directions(means).T, axis=1)]
    return nearest


RIVALS: dict[str, Rival] = {
    'logistic regression, CV': logistic_regression_cv,
    'ridge, LOO': ridge_loo,
    'LDA, shrinkage': lda_shrinkage,
    'centred cosine': centred_cosine,
}


def _directions(vectors: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    directions: FloatArray = vectors / np.maximum(lengths, 1e-9)
    return directions


def _predicted(
    model: Any, embeddings: FloatArray, labels: IntArray, others: FloatArray
) -> npt.NDArray[Any]:
    predicted: npt.NDArray[Any] = model.fit(embeddings, labels).predict(others)
    return predicted
