# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Real embeddings to train on: from a file, or of packaged photographs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import hashlib
from pathlib import Path
import tempfile
from typing import Any

import cv2
from edgetpu_retrain.demo.photographs import read_photograph, SUBJECTS
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.learning import FloatArray, IntArray
from edgetpu_retrain.model_file.reading import read_model
from edgetpu_retrain.runtime.models.extractor import Extractor
import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_sample_images

# Each photograph is divided into this many classes per side; neighbouring classes look alike.
_GRID = 3
_VIEWS = 30
_SIZE = (224, 224)
_SEED = 0


@dataclass(frozen=True, eq=False)
class EmbeddingSet:
    """
    Quantized embeddings with their classes.

    Args:
        name: name in tables.
        raw: integers ``[N, D]``, as output by the extractor.
        labels: class of each sample, int64 ``[N]``.
        scale: scale of the quantization.
        zero_point: zero point of the quantization.
    """

    name: str
    raw: npt.NDArray[Any]
    labels: IntArray
    scale: float
    zero_point: int

    @property
    def num_classes(self) -> int:
        """Number C of classes."""
        return int(self.labels.max()) + 1

    def floats(self, rows: IntArray) -> FloatArray:
        """Return dequantized embeddings, float32 ``[len(rows), D]``."""
        values = self.raw[rows].astype(np.float32)
        return (values - np.float32(self.zero_point)) * np.float32(self.scale)


def read_embeddings(path: Path) -> EmbeddingSet:
    """Return the set of an .npz file with embeddings, labels, scale and zero_point."""
    with np.load(path, allow_pickle=False) as file:
        return EmbeddingSet(
            path.stem,
            file['embeddings'],
            file['labels'].astype(np.int64),
            float(file['scale']),
            int(file['zero_point']),
        )


def photograph_embeddings() -> EmbeddingSet:
    """
    Return embeddings of parts of the packaged photographs by the default extractor.

    Each class is a ninth of a photograph with random shift, zoom, rotation, exposure and noise: 72
    classes of 30 views.  They are computed once, in half a minute, and cached as a temporary file.
    """
    model = read_model(default_extractor_path())
    recipe = hashlib.sha256(model + Path(__file__).read_bytes()).hexdigest()[:16]
    kept = Path(tempfile.gettempdir()) / f'edgetpu_retrain_photographs_{recipe}.npz'
    if not kept.is_file():
        extractor = Extractor(model, device='cpu')
        embedded, labels = [], []
        for label, view in photograph_views(*_SIZE):
            embedded.append(extractor.embed(view))
            labels.append(label)
        quantization = extractor.description.quantization
        if quantization is None:
            raise RuntimeError('the default extractor is not quantized')
        with tempfile.NamedTemporaryFile(dir=kept.parent, suffix='.npz', delete=False) as file:
            np.savez_compressed(
                file,
                embeddings=np.array(embedded),
                labels=np.array(labels),
                scale=quantization.scale,
                zero_point=quantization.zero_point,
            )
        Path(file.name).replace(kept)
    made = read_embeddings(kept)
    return EmbeddingSet('photographs_lite0', made.raw, made.labels, made.scale, made.zero_point)


def photograph_views(width: int, height: int) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """Yield class and picture, uint8 ``[height, width, 3]`` RGB, of all views."""
    photographs = [read_photograph(subject) for subject in SUBJECTS]
    photographs += load_sample_images().images
    rng = np.random.default_rng(_SEED)
    for number, photograph in enumerate(photographs):
        rows, columns = photograph.shape[:2]
        for cell in range(_GRID * _GRID):
            row, column = divmod(cell, _GRID)
            center = ((column + 0.5) / _GRID * columns, (row + 0.5) / _GRID * rows)
            for _ in range(_VIEWS):
                view = _view(photograph, center, min(rows, columns) / _GRID, rng, (width, height))
                yield number * _GRID * _GRID + cell, view


def _view(
    photograph: npt.NDArray[np.uint8],
    center: tuple[float, float],
    size: float,
    rng: np.random.Generator,
    shape: tuple[int, int],
) -> npt.NDArray[np.uint8]:
    shift = rng.uniform(-0.25, 0.25, 2) * size
    middle = (float(center[0] + shift[0]), float(center[1] + shift[1]))
    zoom = min(shape) / (size * rng.uniform(0.8, 1.5))
    motion = cv2.getRotationMatrix2D(middle, rng.uniform(-25, 25), zoom)
    motion[:, 2] += np.array(shape) / 2 - np.array(middle)
    view = cv2.warpAffine(photograph, motion, shape, borderMode=cv2.BORDER_REFLECT).astype(
        np.float32
    )
    view = view * rng.uniform(0.5, 1.5) + rng.normal(0, rng.uniform(0, 15), view.shape)
    seen: npt.NDArray[np.uint8] = np.clip(np.rint(view), 0, 255).astype(np.uint8)
    return seen
