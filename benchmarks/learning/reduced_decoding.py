# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Compares models of JPEG files that are decoded in full with those that are decoded reduced.

    python -m benchmarks.learning.reduced_decoding

The views of the packaged photographs (benchmarks/learning/embedding_sets.py) as images of a
camera, with the default extractor.  The last line is a JSON object.
"""

from __future__ import annotations

from dataclasses import replace
import json
import statistics
import time
from typing import Any

from benchmarks.learning.embedding_sets import EmbeddingSet, photograph_views
from benchmarks.learning.recipes import default_training
from benchmarks.learning.tasks import split
from benchmarks.shared.machine import machine
from benchmarks.shared.pictures import jpeg
from benchmarks.shared.tables import print_table
import cv2
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.model_file.reading import read_model
from edgetpu_retrain.pictures.lazy_picture import LazyPicture
from edgetpu_retrain.runtime.models.extractor import Extractor
import numpy as np

_SIZES = ((640, 480), (1280, 720), (1920, 1080))
_SPLITS = 5


def main() -> None:
    """Print a table for each size."""
    cv2.setNumThreads(1)
    result: dict[str, Any] = {'machine': machine('numpy', 'opencv-python-headless')}
    print_table('machine', result['machine'])
    extractor = Extractor(read_model(default_extractor_path()), device='cpu')
    for width, height in _SIZES:
        name = f'{width}x{height}'
        result[name] = compare(extractor, width, height)
        print_table(name, result[name])
    print(json.dumps(result))


def compare(extractor: Extractor, width: int, height: int) -> dict[str, float]:
    """Return times, similarities and accuracies (%) for views of a size."""
    side = extractor.description.input_side
    labels, whole, reduced, took = [], [], [], []
    for label, view in photograph_views(width, height):
        picture = LazyPicture.from_file(jpeg(view))
        begin = time.perf_counter()
        small = picture.for_model(side)
        between = time.perf_counter()
        full = picture.whole
        took.append((time.perf_counter() - between, between - begin))
        labels.append(label)
        whole.append(extractor.embed(full))
        reduced.append(extractor.embed(small))
    quantization = extractor.description.quantization
    if quantization is None:
        raise RuntimeError('the default extractor is not quantized')
    in_full = EmbeddingSet(
        'whole', np.array(whole), np.array(labels), quantization.scale, quantization.zero_point
    )
    fast = replace(in_full, raw=np.array(reduced))
    alike = similarities(in_full, fast)
    return {
        'decoding_in_full_ms': 1000 * statistics.median(each for each, _ in took),
        'decoding_reduced_ms': 1000 * statistics.median(each for _, each in took),
        'similarity_mean': float(alike.mean()),
        'similarity_1st_percentile': float(np.percentile(alike, 1)),
        'accuracy_in_full': accuracy(in_full, in_full),
        'accuracy_reduced': accuracy(fast, fast),
        'accuracy_taught_in_full_then_reduced': accuracy(in_full, fast),
    }


def similarities(one: EmbeddingSet, other: EmbeddingSet) -> Any:
    """Return the cosine similarity of each pair of embeddings, ``[N]``."""
    rows = np.arange(len(one.labels))
    a, b = one.floats(rows), other.floats(rows)
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def accuracy(taught: EmbeddingSet, seen: EmbeddingSet) -> float:
    """Return the mean percentage right, trained on one set, tested on the rest of another."""
    right = []
    for seed in range(_SPLITS):
        train, test = split(len(taught.labels), seed)
        predicted = np.argmax(default_training(taught, train)(seen.floats(test)), axis=1)
        right.append(100 * float(np.mean(predicted == seen.labels[test])))
    return statistics.mean(right)


if __name__ == '__main__':
    main()
