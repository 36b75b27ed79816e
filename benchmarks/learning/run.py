# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Compares the default training with other recipes.

    make bench [ARGS=embeddings.npz...]

All figures come from the same run, on one BLAS thread.  Recipes alternate, so that other load on
the machine affects all of them; times are medians over splits and rounds.  The last line is a JSON
object.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import statistics
import time
from typing import Any
import warnings

from benchmarks.learning.embedding_sets import EmbeddingSet, photograph_embeddings, read_embeddings
from benchmarks.learning.recipes import RECIPES
from benchmarks.learning.session_tables import print_sessions
from benchmarks.learning.step_floor import SHAPES, step_over_floor
from benchmarks.learning.tasks import (
    added_class,
    few_samples,
    quantized,
    split,
    unknowns,
)
from benchmarks.shared.machine import machine
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

_SPLITS = 5
_SAMPLES_A_CLASS = (1, 5, 10)
# With more classes, scikit-learn would take many minutes.
_MOST_CLASSES_FOR_TASKS = 40


def main() -> None:
    """Run all comparisons and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'files', nargs='*', type=Path, help='.npz with embeddings, labels, scale, zero_point'
    )
    parser.add_argument('--rounds', type=int, default=3, help='runs of each recipe on each split')
    arguments = parser.parse_args()
    warnings.simplefilter('ignore', ConvergenceWarning)
    result: dict[str, Any] = {'machine': machine('numpy', 'scikit-learn')}
    print(json.dumps(result['machine']))
    with threadpool_limits(1):
        sets = [read_embeddings(path) for path in arguments.files]
        for data in [*sets, photograph_embeddings()]:
            result[data.name] = compare(data, arguments.rounds)
        result['step_over_floor'] = steps(0.0)
        result['fit_step_over_floor'] = steps(0.9)
        result['sessions'] = print_sessions()
    print(json.dumps(result))


def compare(data: EmbeddingSet, rounds: int) -> dict[str, Any]:
    """Print and return the accuracy and time of each recipe, and the figures of the tasks."""
    count, dim = data.raw.shape
    print(f'\n{data.name}: {count} samples, {data.num_classes} classes, {dim} dimensions')
    result: dict[str, Any] = accuracies(data, rounds)
    print(f'{"recipe":26}{"accuracy %":>12}{"+-":>7}{"seconds":>10}')
    for name, figures in result.items():
        print(
            f'{name:26}{figures["accuracy"]:12.2f}{figures["spread"]:7.2f}'
            f'{figures["seconds"]:10.3f}'
        )
    if data.num_classes <= _MOST_CLASSES_FOR_TASKS:
        for samples in _SAMPLES_A_CLASS:
            result[f'few_samples_{samples}'] = few_samples(data, samples)
            print(f'{samples} samples a class:', result[f'few_samples_{samples}'])
        for name, task in (('unknowns', unknowns), ('added_class', added_class)):
            result[name] = task(data)
            print(f'{name}:', result[name])
    result['once_quantized'] = quantized(data)
    print('once quantized, %:', result['once_quantized'])
    return result


def accuracies(data: EmbeddingSet, rounds: int) -> dict[str, dict[str, float]]:
    """Return accuracy (%), its standard deviation over splits, and seconds of each recipe."""
    seconds: dict[str, list[float]] = {name: [] for name in RECIPES}
    right: dict[str, list[float]] = {name: [] for name in RECIPES}
    for seed in range(_SPLITS):
        train, test = split(len(data.labels), seed)
        embeddings, truth = data.floats(test), data.labels[test]
        for number in range(rounds):
            for name, recipe in RECIPES.items():
                started = time.perf_counter()
                predict = recipe(data, train)
                seconds[name].append(time.perf_counter() - started)
                if number == 0:
                    predicted = np.argmax(predict(embeddings), axis=1)
                    right[name].append(100 * float(np.mean(predicted == truth)))
    return {
        name: {
            'accuracy': round(float(np.mean(right[name])), 2),
            'spread': round(float(np.std(right[name])), 2),
            'seconds': round(statistics.median(seconds[name]), 4),
        }
        for name in RECIPES
    }


def steps(momentum: float) -> dict[str, float]:
    """Print and return the time of a step relative to its two products, for each shape."""
    print(f'\nstep (momentum {momentum:g}) over its two matrix products, batches of 100:')
    ratios = {}
    for num_classes, dim in SHAPES:
        ratio, floor = step_over_floor(num_classes, dim, momentum)
        ratios[f'{num_classes}:{dim}'] = round(ratio, 3)
        print(f'{num_classes:6}:{dim:<6}{ratio:8.2f}   (products {floor:.0f} us)')
    return ratios


if __name__ == '__main__':
    main()
