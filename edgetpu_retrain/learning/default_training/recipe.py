# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Hyperparameters of the default training: iterations, learning rate and regularization.

They are computed from the data (its size, dimension and largest eigenvalue) and from constants.
The constants were tuned on the MobileNet v1 embeddings of Oxford-17 Flowers and checked on
EfficientNet-Lite0 embeddings of other photographs; docs/benchmarks.md has the results.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from edgetpu_retrain.learning.arrays import IntArray

MOMENTUM = 0.9

# The prior for fitting the temperature to held-out samples: the expected temperature, and the
# standard deviation of its logarithm.  With this recipe, fitted temperatures are 0.33 to 0.65, for
# 2 to 64 samples per class and both extractors named above.  They are below 1 because the
# regularization keeps logits small.
_TEMPERATURE_PRIOR = (0.45, 0.5)

# L2 regularization is equivalent to a normal prior on the weights.  With the default strength, a
# sample's logits have this variance under the prior.  A narrower prior reduces the accuracy with
# many samples, and training with a wider one takes longer to converge.
_LOGIT_VARIANCE = 64.0

_EPOCHS = 8
_FEWEST_ITERATIONS = 120
# Minimum iterations per class: with more classes, a batch has fewer samples of each.
_ITERATIONS_A_CLASS = 4
# The minimum for many classes does not exceed this number of iterations.
_MOST_FOR_CLASSES = 300
# Very large data sets converge in fewer than eight epochs.
_MOST_ITERATIONS = 10_000
# Iterations if there are too few samples for a held-out split.  The samples fit into a few
# batches, so the gradient has little noise.
_ITERATIONS_OF_FEW = 100

# A warm start needs only this share of the iterations.
_WARM_SHARE = 0.25


@dataclass(frozen=True)
class Recipe:
    """
    The requested hyperparameters; None means derived from the data.

    Args:
        num_iter: iterations of the final training.
        learning_rate: the initial learning rate; it decays to 0 along half a cosine.
        batch_size: samples per iteration.
        reg: strength of the L2 regularization of the weights for conditioned features.
        balanced: whether to sample all classes equally often.
        weight_scale: standard deviation of random initial weights for conditioned features; 0
            starts from class means.
        held_out_share: share of each class to hold out.
        rejection_rate: share of known samples that may be classified as unknown.
        measure_unknown: whether to measure how many samples of each class would be unknown if the
            class had not been taught.
    """

    num_iter: int | None = None
    learning_rate: float | None = None
    batch_size: int = 100
    reg: float | None = None
    balanced: bool = True
    weight_scale: float = 0.0
    held_out_share: float = 0.2
    rejection_rate: float = 0.05
    measure_unknown: bool = False

    def iterations(self, count: int, num_classes: int, *, few: bool, warm: bool) -> int:
        """
        Return the requested number of iterations, else one that is computed from the data.

        Args:
            count: number of training samples.
            num_classes: C.
            few: whether there are too few samples for a held-out split.
            warm: whether training starts from an earlier head.
        """
        if self.num_iter is not None:
            return self.num_iter
        if few:
            number = _ITERATIONS_OF_FEW
        else:
            epochs = _EPOCHS * math.ceil(count / self.batch_size)
            for_classes = min(_ITERATIONS_A_CLASS * num_classes, _MOST_FOR_CLASSES)
            number = min(max(epochs, for_classes, _FEWEST_ITERATIONS), _MOST_ITERATIONS)
        return math.ceil(number * _WARM_SHARE) if warm else number

    def regularization(self, class_counts: IntArray, feature_dim: int) -> float:
        """
        Return the strength of the L2 regularization, for a loss that is a mean over samples.

        Args:
            class_counts: int64 ``[C]``, training samples per class, not all 0.
            feature_dim: D.
        """
        if self.reg is not None:
            return self.reg
        counts = class_counts[class_counts > 0]
        count = float(counts.sum())
        if self.balanced:
            # Repeating the samples of small classes adds no information: use the effective sample
            # size (Kish, 'Survey Sampling', 1965).
            count = len(counts) ** 2 / float((1.0 / counts).sum())
        # Features have a mean square of 1, so weights of variance v yield logits of variance D*v.
        return feature_dim / (_LOGIT_VARIANCE * count)

    @property
    def temperature_prior(self) -> tuple[float, float]:
        """The expected temperature, and the standard deviation of its logarithm."""
        # If the caller chose the regularization, logits may have any size.
        return _TEMPERATURE_PRIOR if self.reg is None else (1.0, 2.0)

    def first_rate(self, eigenvalue: float, feature_dim: int, reg: float) -> float:
        """
        Return the initial learning rate.

        Args:
            eigenvalue: the largest eigenvalue of the features' covariance.
            feature_dim: D; the features have a mean square of 1, so D is the covariance's trace.
            reg: the regularization strength.
        """
        if self.learning_rate is not None:
            return self.learning_rate
        # The softmax's Hessian is at most 1/2 (Boehning, 'Multinomial logistic regression
        # algorithm', 1992), so half the features' covariance bounds the loss's curvature.
        # Momentum SGD diverges if the rate exceeds 2 (1 + momentum) / curvature.  Half of this
        # rate leaves a margin for batches whose curvature is above the average.
        curvature = 0.5 * eigenvalue + reg
        steepest = (1.0 + MOMENTUM) / curvature if curvature > 0.0 else 1.0
        # The gradient of a batch is noisy in all directions, even in flat ones.  With single
        # samples, the mean squared error grows if the rate exceeds 2 / trace (Haykin, 'Adaptive
        # Filter Theory', on LMS).  A batch divides the noise by its size, and momentum multiplies
        # the step by 1 / (1 - momentum).
        noisiest = 2.0 * (1.0 - MOMENTUM) * self.batch_size / (0.5 * feature_dim)
        return min(steepest, noisiest)


def cosine_rate(first: float, num_iter: int, iteration: int) -> float:
    """
    Return the learning rate of an iteration (Loshchilov and Hutter, 'SGDR', 2017).

    Args:
        first: the rate of iteration 0.
        num_iter: the iteration at which the rate would reach 0.
        iteration: counted from 0.

    >>> cosine_rate(0.5, 100, 0), cosine_rate(0.5, 100, 50)
    (0.5, 0.25)
    """
    return 0.5 * first * (1.0 + math.cos(math.pi * iteration / num_iter))
