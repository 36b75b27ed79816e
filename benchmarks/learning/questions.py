# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Measures whether the questions that the node asks are worth answering.

    python -m benchmarks.learning.questions [embeddings.npz...]

A model knows 12 of 17 classes.  From a stream of all 17, the node's own parts keep 50 questions.
Are all five new classes among them?  Is a training with their answers as good as one with 50
frames of the stream that were drawn at random?  Seeds draw classes, samples and stream.  The last
line is a JSON object.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
import json
from pathlib import Path
import tempfile
from typing import Any

from benchmarks.learning.embedding_sets import EmbeddingSet, photograph_embeddings, read_embeddings
from benchmarks.learning.recipes import Rows
from benchmarks.shared.machine import machine
from edgetpu_retrain.extractors.near_copies import min_novelty_of
from edgetpu_retrain.learning import fit, Head
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.node.questions.doubt import doubt
from edgetpu_retrain.store.questions.asking import Asking
from edgetpu_retrain.store.questions.question import Given, Question
from edgetpu_retrain.store.questions.question_store import QuestionStore
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
from threadpoolctl import threadpool_limits

_SEEDS = 5
_CLASSES = 17
_KNOWN = 12
# Of the samples of a known class that are not in the test.
_TAUGHT = 0.36
_QUESTIONS = 50
_TESTED = 0.3
# Random draws per seed, whose mean is compared.
_DRAWS = 3
_EXTRACTOR = 'e' * 64


def main() -> None:
    """Print the figures of each set and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'files', nargs='*', type=Path, help='.npz with embeddings, labels, scale, zero_point'
    )
    arguments = parser.parse_args()
    result: dict[str, Any] = {'machine': machine('numpy')}
    print(json.dumps(result['machine']))
    with threadpool_limits(1):
        sets = [read_embeddings(path) for path in arguments.files]
        for data in [*sets, photograph_embeddings()]:
            result[data.name] = measure(data)
    print(json.dumps(result))


def measure(data: EmbeddingSet) -> list[dict[str, float]]:
    """Print and return the figures of a set, for each seed."""
    print(f'\n{data.name}')
    head = ('seed', 'uncertain', 'questions', 'new classes', 'before', 'answers', 'random')
    print(''.join(f'{each:>12}' for each in head))
    figures = [_seed(data, seed) for seed in range(_SEEDS)]
    for seed, each in enumerate(figures):
        print(f'{seed:12}' + ''.join(f'{value:12g}' for value in each.values()))
    means = {name: float(np.mean([each[name] for each in figures])) for name in figures[0]}
    print(f'{"mean":>12}' + ''.join(f'{value:12.4g}' for value in means.values()))
    return figures


def _seed(whole: EmbeddingSet, seed: int) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    classes = rng.permutation(whole.num_classes)[:_CLASSES]
    number = np.full(whole.num_classes, -1)
    number[classes] = np.arange(_CLASSES)
    data = replace(whole, labels=number[whole.labels])
    rows = rng.permutation(np.flatnonzero(data.labels >= 0))
    tests, rest = np.split(rows, [round(_TESTED * len(rows))])
    known = [rest[data.labels[rest] == label] for label in range(_KNOWN)]
    taught = np.concatenate([each[: round(_TAUGHT * len(each))] for each in known])
    stream = np.setdiff1d(rest, taught)
    stream = stream[rng.permutation(len(stream))]
    asked, uncertain = _questions(data, taught, stream)
    found = set(data.labels[asked].tolist())
    drawn = [
        _accuracy(data, np.concatenate([taught, rng.permutation(stream)[:_QUESTIONS]]), tests)
        for _ in range(_DRAWS)
    ]
    return {
        'uncertain': round(100 * uncertain, 1),
        'questions': len(asked),
        'new classes': len(found - set(range(_KNOWN))),
        'before': _accuracy(data, taught, tests),
        'answers': _accuracy(data, np.concatenate([taught, asked]), tests),
        'random': round(float(np.mean(drawn)), 2),
    }


def _questions(data: EmbeddingSet, taught: Rows, stream: Rows) -> tuple[Rows, float]:
    """Return the frames of a stream that are questions at its end, and the uncertain share."""
    head = _fit(data, taught)
    embeddings = data.floats(stream)
    probabilities = head.predict_proba(embeddings)
    unlike_all = head.unknown_scores(embeddings) > head.unknown_threshold
    quantization = QuantizationParameters(data.scale, data.zero_point)
    kind = EmbeddingKind(data.raw.shape[1], data.raw.dtype.name, quantization)
    near = min_novelty_of(0.0, _EXTRACTOR)
    uncertain = 0
    with tempfile.TemporaryDirectory() as folder, SampleStore(Path(folder) / 's.db') as store:
        store.add(
            [Sample(str(data.labels[row]), {_EXTRACTOR: data.raw[row]}) for row in taught],
            {_EXTRACTOR: quantization},
        )
        asking = Asking(store, _EXTRACTOR, kind, near)
        labels = tuple(map(str, range(_KNOWN)))
        for place, row in enumerate(stream):
            why = doubt(probabilities[place], unlike_all=bool(unlike_all[place]))
            uncertain += why is not None
            best = 'unknown' if why == 'unknown' else str(np.argmax(probabilities[place]))
            # The stamp is the number of the frame, to find it again.
            question = Question(why, 'front', int(row), (Given(best, 1.0),), 1, data.raw[row])
            why = asking.weigh(question, labels=labels, trained_ns=2**62)
            if why is not None:
                asking.store(replace(question, kind=why), _QUESTIONS)
        listed = QuestionStore(store).list_questions(0, extractor=_EXTRACTOR)
    return np.array([each.stamp_ns for each in listed], np.int64), uncertain / len(stream)


def _accuracy(data: EmbeddingSet, rows: Rows, tests: Rows) -> float:
    """Return the accuracy on all classes (%) of a training with some rows."""
    present = np.unique(data.labels[rows])
    number = np.full(_CLASSES, -1)
    number[present] = np.arange(len(present))
    renamed = replace(data, labels=np.where(data.labels < 0, -1, number[data.labels]))
    predicted = present[_fit(renamed, rows).predict(data.floats(tests))]
    return round(100 * float(np.mean(predicted == data.labels[tests])), 2)


def _fit(data: EmbeddingSet, rows: Rows) -> Head:
    return fit(
        data.raw[rows],
        data.labels[rows],
        scale=data.scale,
        zero_point=data.zero_point,
        num_classes=int(data.labels[rows].max()) + 1,
    )


if __name__ == '__main__':
    main()
