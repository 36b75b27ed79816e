# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Real embeddings: 20 photographs of each of 17 flowers, by Coral's MobileNet v1 extractor.

    from support.flowers import read_flowers
    flowers = read_flowers()

They are a part of the Oxford-17 set (Nilsback and Zisserman, 'A Visual Vocabulary for Flower
Classification', CVPR 2006); the embeddings only, not the pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgetpu_retrain.learning import FloatArray, IntArray
import numpy as np
import numpy.typing as npt

_FILE = Path(__file__).parents[1] / 'learning' / 'data' / 'flowers.npz'
SAMPLES_A_CLASS = 20
NUM_CLASSES = 17


@dataclass(frozen=True, eq=False)
class Flowers:
    """uint8 ``[340, 1024]`` embeddings, their classes and their quantization."""

    raw: npt.NDArray[np.uint8]
    labels: IntArray
    scale: float
    zero_point: int

    @property
    def floats(self) -> FloatArray:
        """The dequantized embeddings."""
        values = self.raw.astype(np.float32) - np.float32(self.zero_point)
        return values * np.float32(self.scale)

    def first(self, count: int, seed: int) -> tuple[IntArray, IntArray]:
        """Return the rows of ``count`` random samples per class, and all other rows."""
        order = np.random.default_rng(seed).permutation(len(self.labels))
        taken = [order[self.labels[order] == number][:count] for number in range(NUM_CLASSES)]
        rows = np.concatenate(taken)
        return rows, np.setdiff1d(order, rows)


def read_flowers() -> Flowers:
    """Return the set."""
    with np.load(_FILE) as file:
        return Flowers(
            file['embeddings'],
            file['labels'].astype(np.int64),
            float(file['scale']),
            int(file['zero_point']),
        )
