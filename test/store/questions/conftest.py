# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Asks questions with small embeddings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.questions.asking import Asking
from edgetpu_retrain.store.questions.question import Given, Question
from edgetpu_retrain.store.questions.question_store import QuestionStore
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest

EXTRACTOR = 'a' * 64
KIND = EmbeddingKind(8, 'uint8', QuantizationParameters(0.5, 3))
Ask = Callable[..., int]


@pytest.fixture
def questions(samples: SampleStore) -> QuestionStore:
    return QuestionStore(samples)


@pytest.fixture
def ask(samples: SampleStore) -> Ask:
    """Ask about a frame; by default about one that is unlike all before."""
    asking = {EXTRACTOR: Asking(samples, EXTRACTOR, KIND, 0.01)}
    rng = np.random.default_rng(7)

    def ask(
        embedding: object = None,
        *,
        most: int = 50,
        extractor: str = EXTRACTOR,
        labels: tuple[str, ...] = (),
        trained_ns: int = 0,
        **fields: object,
    ) -> int:
        raw = rng.integers(0, 256, 8) if embedding is None else embedding
        values: dict[str, object] = {
            'kind': 'unknown',
            'camera': 'front',
            'stamp_ns': 0,
            'given': (Given('unknown', 0.5),),
            'model_version': 3,
            'embedding': np.asarray(raw, np.uint8),
        }
        if extractor not in asking:
            asking[extractor] = Asking(samples, extractor, KIND, 0.01)
        question = Question(**{**values, **fields})  # type: ignore[arg-type]
        why = asking[extractor].weigh(question, labels=labels, trained_ns=trained_ns)
        return asking[extractor].store(replace(question, kind=why), most) if why else 0

    return ask
