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
Conditioning: features on which gradient descent converges in tens of iterations.

Raw embeddings are far from centred and their features differ in spread, which makes the loss a
narrow valley: a step small enough for its steep side is far too small for the flat one (LeCun et
al., 'Efficient BackProp', 1998, section 4.3).  Features are therefore centred and scaled before
training, and the learned weights are folded back, so that an exported head takes raw embeddings.

Each feature is divided by the *square root* of its standard deviation, 'Pareto scaling' (van den
Berg et al., 'Centering, scaling, and transformations', BMC Genomics 7:142, 2006): it evens out the
spreads without blowing weak features, which are mostly noise, up to the size of strong ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgetpu_retrain.learning.embedding_rows import EmbeddingRows
from edgetpu_retrain.learning.head import FloatArray, Head, IntArray
import numpy as np

# A feature that hardly ever changes must not be divided by next to nothing.
_SPREAD_FLOOR = 0.1

# Below this many bytes a float32 copy of all features saves conditioning them batch by batch.
_LARGEST_COPY_BYTES = 2**26

# Power iteration: relative errors of a few percent do not matter to a step size.
_POWER_ITERATIONS = 6


@dataclass(frozen=True, eq=False)
class Conditioning:
    """
    The change from raw embeddings x to features ``(x - center) * gain``.

    Args:
        center: float32 ``[D]``.
        gain: float32 ``[D]``, above 0.
    """

    center: FloatArray
    gain: FloatArray

    @classmethod
    def from_sample(cls, embeddings: FloatArray) -> Conditioning:
        """
        Return the conditioning that gives centred features with a mean square of 1.

        Args:
            embeddings: float32 ``[N, D]``, dequantized; a sample of the data suffices.

        Raises:
            ValueError: when the values are so large that their squares are not finite.
        """
        with np.errstate(over='ignore', invalid='ignore'):
            center = embeddings.mean(axis=0)
            centred = embeddings - center
            variance = np.einsum('nd,nd->d', centred, centred) / np.float32(len(centred))
        spread = np.sqrt(variance)
        if not np.isfinite(spread).all():
            raise ValueError(
                f'embeddings holds values up to {np.abs(embeddings).max():g}; they must be small '
                'enough for their squares to be finite in float32 (below 1e15)'
            )
        typical = spread.mean()
        if typical == 0.0:
            # All embeddings are the same: there is nothing to learn, and nothing to divide by.
            return cls(center, np.ones_like(center))
        spread = np.sqrt(spread + np.float32(_SPREAD_FLOOR) * typical)
        size = np.sqrt((variance / (spread * spread)).mean())
        return cls(center, (1.0 / (spread * size)).astype(np.float32))

    def features(self, embeddings: FloatArray) -> FloatArray:
        """Return the features, float32 ``[N, D]``, of dequantized embeddings."""
        return (embeddings - self.center) * self.gain

    def fold(self, weights: FloatArray, bias: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return weights and bias that give on raw embeddings what these give on features."""
        raw = weights * self.gain[:, np.newaxis]
        return raw, bias - self.center @ raw

    def unfold(self, head: Head, temperature: float) -> tuple[FloatArray, FloatArray]:
        """Return weights and bias on features that give the head's logits times temperature."""
        weights = head.weights * (temperature / self.gain)[:, np.newaxis]
        bias = (head.bias + self.center @ head.weights) * temperature
        return weights.astype(np.float32, copy=False), bias.astype(np.float32, copy=False)


class FeatureRows:
    """
    The features of embeddings: all at once when they are few, else made batch by batch.

    Args:
        rows: the embeddings.
        conditioning: makes features of them.
    """

    def __init__(self, rows: EmbeddingRows, conditioning: Conditioning) -> None:
        self.count, self.feature_dim = rows.count, rows.feature_dim
        self._raw = rows.raw
        # Dequantizing and conditioning are one multiplication and one addition.
        scale, zero = np.float32(rows.scale), np.float32(rows.zero_point)
        self._factor = scale * conditioning.gain
        self._offset = -(scale * zero + conditioning.center) * conditioning.gain
        self._stored = np.empty((0, rows.feature_dim), rows.raw.dtype)
        self._copy: FloatArray | None = None
        if rows.count * rows.feature_dim * 4 <= _LARGEST_COPY_BYTES:
            self._copy = self.block(0, rows.count)

    def take(self, rows: IntArray, out: FloatArray) -> None:
        """Write the features of these rows into out, float32 ``[len(rows), D]``."""
        # 'clip' writes straight into the buffer; 'raise' would fill a copy first.
        if self._copy is not None:
            self._copy.take(rows, axis=0, out=out, mode='clip')
            return
        if len(self._stored) != len(rows):
            self._stored = np.empty((len(rows), self.feature_dim), self._raw.dtype)
        self._raw.take(rows, axis=0, out=self._stored, mode='clip')
        np.copyto(out, self._stored, casting='unsafe')
        np.multiply(out, self._factor, out=out)
        np.add(out, self._offset, out=out)

    def some(self, rows: IntArray) -> FloatArray:
        """Return the features of these rows as a new array."""
        features = np.empty((len(rows), self.feature_dim), np.float32)
        self.take(rows, features)
        return features

    def block(self, start: int, stop: int) -> FloatArray:
        """Return the features of rows start to stop, not to be changed."""
        if self._copy is not None:
            return self._copy[start:stop]
        features = self._raw[start:stop].astype(np.float32)
        features *= self._factor
        features += self._offset
        return features


def largest_eigenvalue(features: FloatArray) -> float:
    """
    Return the largest eigenvalue of the features' covariance, by power iteration.

    Args:
        features: float32 ``[N, D]``, centred.
    """
    # The longest row is a start that cannot be orthogonal to all there is.
    vector = features[np.argmax(np.einsum('nd,nd->n', features, features))]
    value = np.float32(0.0)
    for _ in range(_POWER_ITERATIONS):
        length = np.sqrt(vector @ vector)
        if length == 0.0:
            break
        vector = (vector / length) @ features.T @ features
        value = np.sqrt(vector @ vector)
    return float(value) / len(features)
