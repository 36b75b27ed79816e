# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""
The default training in numbers: how far, how fast and how strongly regularized.

The numbers follow from the data (its size, dimension and largest eigenvalue) and from constants
that were chosen on the MobileNet v1 embeddings of Oxford-17 Flowers, with an eye on
EfficientNet-Lite0 embeddings of other photographs; docs/benchmarks.md has the outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from edgetpu_retrain.learning.arrays import IntArray

# Heavy ball's usual momentum.
MOMENTUM = 0.9

# What held-out predictions of this recipe ask for, from 2 samples a class to 64, on both
# extractors: 0.33 to 0.65.  The regularization makes logits small on purpose.
TYPICAL_TEMPERATURE = 0.45
TEMPERATURE_UNCERTAINTY = 0.5

# The weights' prior, of which L2 regularization is the logarithm, is a normal distribution in
# which a sample's logits have this variance.  Too narrow a prior takes away accuracy where there
# are many samples, a wider one changes nothing but the time to converge.
_LOGIT_VARIANCE = 64.0

_EPOCHS = 8
_FEWEST_ITERATIONS = 120
# The more classes, the less a batch says about each: as many iterations a class, up to a limit.
_ITERATIONS_A_CLASS = 4
_MOST_FOR_CLASSES = 300
# Very large sets have converged before they have been seen eight times.
_MOST_ITERATIONS = 10_000
# A few samples are one batch: the gradient has no noise, steps cost little and there is no
# held-out sample that could tell when to stop.
_ITERATIONS_OF_FEW = 100

# A warm start has this share of the way to go.
_WARM_SHARE = 0.25


@dataclass(frozen=True)
class Recipe:
    """
    What was asked for; None stands for what suits the data.

    Args:
        num_iter: iterations of the exported head's training.
        learning_rate: the first step's size; it falls to 0 along half a cosine.
        batch_size: samples in an iteration.
        reg: strength of the L2 regularization of the weights on conditioned features.
        balanced: whether to draw every class equally often.
        weight_scale: standard deviation of random first weights on conditioned features; 0
            begins with class means.
        held_out_share: part of each class that is held out to measure with.
    """

    num_iter: int | None = None
    learning_rate: float | None = None
    batch_size: int = 100
    reg: float | None = None
    balanced: bool = True
    weight_scale: float = 0.0
    held_out_share: float = 0.2

    def iterations(self, count: int, num_classes: int, *, few: bool, warm: bool) -> int:
        """
        Return how many iterations to train.

        Args:
            count: number of samples to train on.
            num_classes: C.
            few: whether they are too few to hold any out.
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
        Return the strength that belongs to the mean loss.

        Args:
            class_counts: int64 ``[C]``, samples to train on of each class, not all 0.
            feature_dim: D.
        """
        if self.reg is not None:
            return self.reg
        counts = class_counts[class_counts > 0]
        count = float(counts.sum())
        if self.balanced:
            # Five samples drawn a hundred times each still say no more than five do: the
            # effective number of weighted samples (Kish, 'Survey Sampling', 1965).
            count = len(counts) ** 2 / float((1.0 / counts).sum())
        # Features have a mean square of 1, so weights of variance v give logits of variance D v.
        return feature_dim / (_LOGIT_VARIANCE * count)

    def first_rate(self, eigenvalue: float, reg: float) -> float:
        """
        Return the size of the first step.

        Args:
            eigenvalue: the largest one of the features' covariance.
            reg: the strength of the regularization.
        """
        if self.learning_rate is not None:
            return self.learning_rate
        # The loss bends at most half as much as the features spread (the softmax's Hessian is at
        # most 1/2; Boehning, 'Multinomial logistic regression algorithm', 1992).  Heavy ball
        # diverges from 2 (1 + momentum) / curvature on; half of that leaves room for batches
        # that bend more than the whole.
        curvature = 0.5 * eigenvalue + reg
        return (1.0 + MOMENTUM) / curvature if curvature > 0.0 else 1.0


@dataclass(frozen=True)
class CosineSchedule:
    """
    Step sizes that fall from first to 0 along half a cosine (Loshchilov and Hutter, 2017).

    Args:
        first: the size of the first step.
        num_iter: the iteration at which 0 would be reached.

    >>> schedule = CosineSchedule(0.5, 100)
    >>> schedule(0), schedule(50)
    (0.5, 0.25)
    """

    first: float
    num_iter: int

    def __call__(self, iteration: int) -> float:
        """Return the size of the step of this iteration, counted from 0."""
        return 0.5 * self.first * (1.0 + math.cos(math.pi * iteration / self.num_iter))
