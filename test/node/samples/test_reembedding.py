# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Embedding stored pictures again: what is passed over, and how it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import cv2
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.node.samples.reembedding import reembed
from edgetpu_retrain.runtime.models.extractor import Extractor
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from support.running_node import pattern
from support.samples import add_sample
from support.small_models import build_extractor

MODEL = build_extractor('uint8')
DESCRIPTION = describe(MODEL)
EXTRACTOR = Extractor(MODEL)
EARLIER = 'a' * 64
JPEG = cv2.imencode('.jpg', pattern(1))[1].tobytes()
Embed = Callable[[Any], 'Future[Any]']


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SampleStore]:
    """Return samples of an earlier extractor: three with a picture."""
    with SampleStore(tmp_path / 'samples.db') as store:
        for _ in range(3):
            teach(store, JPEG)
        yield store


def teach(store: SampleStore, image: bytes | None) -> None:
    embedding = np.zeros(8, np.float32)
    add_sample(store, 'cat', embedding, extractor=EARLIER, quantization=None, image=image)


def embed(rgb: Any) -> Future[Any]:
    answer: Future[Any] = Future()
    answer.set_result(EXTRACTOR.embed(rgb))
    return answer


def run(
    store: SampleStore, embed: Embed = embed, should_stop: Callable[[], bool] = lambda: False
) -> str:
    return reembed(store, DESCRIPTION, embed, should_stop)


def embedded(store: SampleStore) -> int:
    return sum(store.counts(extractor=DESCRIPTION.identity).values())


def test_missing_and_damaged_pictures_are_reported(store: SampleStore) -> None:
    teach(store, None)
    teach(store, JPEG[:20])
    assert run(store) == (
        '3 samples were embedded again; 1 other has no stored picture (parameter store_images)'
        ' and 1 other has a damaged one and cannot be'
    )
    assert embedded(store) == 3


def test_without_anything_to_embed_the_request_is_rejected(tmp_path: Path) -> None:
    with SampleStore(tmp_path / 'other.db') as store:
        with pytest.raises(RequestError, match='there is nothing to do'):
            run(store)
        teach(store, JPEG[:20])
        with pytest.raises(RequestError, match='0 samples were embedded again; 1 other has a dam'):
            run(store)


def test_what_was_done_before_a_stop_stays(store: SampleStore) -> None:
    answers = iter([False, False, True])
    with pytest.raises(RequestError, match='stopped after 2 samples, which stay: ask for the r'):
        run(store, should_stop=lambda: next(answers))
    assert embedded(store) == 2
    assert run(store) == '1 sample was embedded again'
    with pytest.raises(RequestError, match='there is nothing to do'):
        run(store)


def test_a_worker_that_ended_stops_it(store: SampleStore) -> None:
    """Its jobs are cancelled when the node is deactivated."""

    def embed_once(rgb: Any) -> Future[Any]:
        if embedded(store):
            ended: Future[Any] = Future()
            ended.cancel()
            return ended
        return embed(rgb)

    with pytest.raises(RequestError, match='stopped after 1 sample, which stay'):
        run(store, embed_once)
    assert embedded(store) == 1
