# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Weight imprinting: a head from class means, without training.

The weights of a class have the direction of the mean of its features (Qi et al., 'Low-Shot
Learning with Imprinted Weights', CVPR 2018).  By default, training starts from this head.  In a
warm start, the final training uses it for new classes only.
"""

from __future__ import annotations

import math

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
from edgetpu_retrain.learning.default_training.conditioning import FeatureRows
import numpy as np

# Maximum number of samples per class to average; more do not change the direction noticeably.
_SAMPLES_A_CLASS = 32

# Logit of a feature vector that is parallel to the class's weights: the scale of a cosine
# classifier.  Qi et al. learn this scale; NormFace (Wang et al., 2017) shows why it must be about
# 10.
_COSINE_SCALE = 10.0


def imprinted_weights(
    features: FeatureRows,
    rows: IntArray,
    labels: IntArray,
    num_classes: int,
    rng: np.random.Generator,
) -> FloatArray:
    """
    Return weights of equal length in the directions of the class means.

    Args:
        features: the features of all samples.
        rows: int64 ``[M]``, the rows to use.
        labels: int64 ``[M]``, the classes of these rows.
        num_classes: C.
        rng: random generator; it chooses 32 samples of each class that has more.

    Returns:
        float32 ``[features.columns, C]``; a class without rows has weights of 0.
    """
    by_class = rows[np.argsort(labels, kind='stable')]
    starts = np.cumsum(np.bincount(labels, minlength=num_classes))[:-1]
    weights = np.zeros((features.columns, num_classes), np.float32, order='F')
    for number, members in enumerate(np.split(by_class, starts)):
        if not len(members):
            continue
        if len(members) > _SAMPLES_A_CLASS:
            members = rng.choice(members, _SAMPLES_A_CLASS, replace=False)
        mean = features[members].mean(axis=0)
        length = float(np.sqrt(mean @ mean))
        if length > 0.0:
            weights[:, number] = mean / length
    # Features have a mean square of 1, so feature vectors have a length of about sqrt(D).
    weights *= np.float32(_COSINE_SCALE / math.sqrt(features.feature_dim))
    return weights
