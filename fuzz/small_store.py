# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A small sample database, and calls of all functions of the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import contextlib
from itertools import islice
from pathlib import Path
import sqlite3

from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.questions.asking import Asking
from edgetpu_retrain.store.questions.question import Given, Question
from edgetpu_retrain.store.questions.question_store import QuestionStore
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
from fuzz.small_files import DIMENSION, IDENTITY, picture
from fuzz.target import each_of
import numpy as np

_OTHER_IDENTITY = 'b' * 64
_QUANTIZATIONS = {IDENTITY: QuantizationParameters(0.5, 3)}
_FIRST_RELEASE = (
    *(
        f'DROP TABLE {table}'
        for table in (
            *('changed_questions', 'questions', 'changed_samples', 'changes'),
            *('removed_embeddings', 'removed_images', 'removed_samples'),
        )
    ),
    'DROP INDEX samples_of_label',
    'ALTER TABLE samples DROP COLUMN added_ns',
    'ALTER TABLE samples DROP COLUMN recording',
    'PRAGMA user_version=1',
)


def fill(store: SampleStore) -> None:
    """Add samples of two classes with one extractor, and of one class with another one."""
    rng = np.random.default_rng(0)
    for label, image in (('daisy', picture('.jpg')), ('red rose', None)):
        embedding = rng.integers(0, 256, DIMENSION, np.uint8)
        store.add([Sample(label, {IDENTITY: embedding}, 'front', 5, image)], _QUANTIZATIONS)
    store.add_embedding(1, rng.random(2, np.float32), extractor=_OTHER_IDENTITY, quantization=None)
    tulip = Sample('tulip', {IDENTITY: embedding}, image=picture('.jpg'))
    store.remove_samples(store.add([tulip], _QUANTIZATIONS))
    _ask(store)


def make_database(folder: Path, *, first_release: bool = False) -> Path:
    """Write a database with small pages and no log, with the current or the first schema."""
    path = folder / 'samples.db'
    with SampleStore(path) as store:
        fill(store)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in ('PRAGMA journal_mode=DELETE', 'PRAGMA page_size=512', 'VACUUM'):
            connection.execute(statement)
        for statement in _FIRST_RELEASE if first_release else ():
            connection.execute(statement)
    return path


def use_store(path: Path) -> None:
    """Read everything from a database, then change it in all ways."""
    with SampleStore(path) as store:
        each_of(
            store.extractors,
            lambda: list(islice(store.to_reembed(_OTHER_IDENTITY), 10)),
            lambda: store.picture(1),
            lambda: _walk(store),
            lambda: QuestionStore(store).picture(1),
            *(query for each in (IDENTITY, _OTHER_IDENTITY) for query in _queries(store, each)),
        )
        each_of(
            lambda: fill(store),
            lambda: _add_novel(store),
            lambda: QuestionStore(store).answer([1], 'tulip'),
            lambda: QuestionStore(store).dismiss([2]),
            lambda: store.relabel([1], 'tulip'),
            lambda: store.relabel_class('tulip', 'oak', extractor=IDENTITY),
            lambda: store.remove_samples([1]),
            lambda: store.remove('', 1, extractor=IDENTITY),
            store.history,
            store.undo,
            store.undo,
            store.redo,
            lambda: store.erase_samples([2]),
            lambda: store.erase('daisy', extractor=IDENTITY),
            lambda: store.erase(extractor=IDENTITY),
        )


def _queries(store: SampleStore, identity: str) -> Iterator[Callable[[], object]]:
    yield lambda: store.counts(extractor=identity)
    yield lambda: store.list_samples(extractor=identity)
    yield lambda: store.unembedded(extractor=identity)
    yield lambda: store.training_set(extractor=identity)
    yield lambda: QuestionStore(store).count(extractor=identity)
    yield lambda: QuestionStore(store).list_questions(10, extractor=identity)


def _ask(store: SampleStore) -> None:
    """Store a question that is unlike all samples."""
    kind = EmbeddingKind(DIMENSION, 'uint8', _QUANTIZATIONS[IDENTITY])
    embedding = np.zeros(DIMENSION, np.uint8)
    given = (Given('daisy', 0.5),)
    question = Question('margin', 'front', 5, given, 1, embedding, picture('.jpg'))
    asking = Asking(store, IDENTITY, kind, 0.01)
    asking.weigh(question, labels=('daisy',), trained_ns=0)
    asking.store(question, 2)


def _add_novel(store: SampleStore) -> None:
    sample = Sample('daisy', {IDENTITY: np.ones(DIMENSION, np.uint8)})
    store.add([sample], _QUANTIZATIONS, min_novelty=0.01)


def _walk(store: SampleStore) -> None:
    with store.snapshot() as snapshot:
        for sample, _ in snapshot.samples():
            snapshot.picture(sample.sample_id)
        snapshot.digests()
