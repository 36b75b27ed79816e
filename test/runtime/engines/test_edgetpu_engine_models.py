# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Model swaps on an Edge TPU, and on the twin while it is down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgetpu_retrain.errors import DeviceError, ModelFileError
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.runtime.engines import edgetpu_engine
from edgetpu_retrain.runtime.engines.engine import PreparedModel
from edgetpu_retrain.runtime.models.classifier import Classifier
import numpy as np
import pytest
from support.edgetpu_bench import (
    Bench,
    COMPILED,
    head,
    picture,
    TWIN,
)
from support.small_models import build_extractor

pytestmark = pytest.mark.usefixtures('edgetpu_library', 'kernel')


@pytest.mark.usefixtures('runtime', 'unprobed')
def test_a_model_is_swapped_in_on_the_device_and_on_the_twin(tell: Callable[[str], None]) -> None:
    bench = Bench()
    for seed in (0, 1):
        model = append_head(COMPILED, head(seed, 3 + seed))
        prepared = bench.engine.prepare(model)
        assert prepared.labels == head(seed, 3 + seed).labels
        bench.engine.serve(prepared)
        answer = bench.engine.run(picture())
        assert answer.served is prepared
        assert answer.device == 'edgetpu'
        wanted = Classifier(model).classify(picture())
        assert answer.scores is not None
        np.testing.assert_array_equal(answer.scores, wanted.scores)
        np.testing.assert_array_equal(answer.embedding, wanted.embedding)
    tell('raise')
    for seed in (1, 2):
        if seed == 2:
            prepared = bench.engine.prepare(append_head(COMPILED, head(seed, 5)))
            bench.engine.serve(prepared)
        answer = bench.engine.run(picture(7))
        assert answer.served is prepared
        assert answer.device == 'cpu'
        on_the_twin = Classifier(append_head(TWIN, head(seed, 3 + seed)), device='cpu')
        wanted = on_the_twin.classify(picture(7))
        assert answer.scores is not None
        np.testing.assert_array_equal(answer.scores, wanted.scores)
        np.testing.assert_array_equal(answer.embedding, wanted.embedding)
        assert len(prepared.labels) == len(wanted.scores)
    tell('')
    bench.now = 100.0
    bench.engine.retry_if_due()
    bench.retry()
    answer = bench.engine.run(picture())
    assert answer.device == 'edgetpu'
    assert answer.served is prepared
    assert answer.scores is not None
    assert len(answer.scores) == 5


@pytest.mark.usefixtures('unprobed')
def test_a_model_that_begins_to_serve_during_a_retry_is_the_one_that_serves_after_it(
    tell: Callable[[str], None],
) -> None:
    tell('raise:2')
    bench = Bench()
    bench.engine.run(picture())
    bench.now = 1.0
    bench.engine.retry_if_due()
    prepared = bench.engine.prepare(append_head(COMPILED, head()))
    bench.retry()
    # The device is back, with the model that has just been replaced.
    bench.engine.serve(prepared)
    assert bench.engine.run(picture()).device == 'cpu'
    bench.retry()
    answer = bench.engine.run(picture())
    assert answer.device == 'edgetpu'
    assert answer.served is prepared


@pytest.mark.usefixtures('unprobed')
def test_a_model_prepared_before_the_device_came_back_is_loaded_there(
    tell: Callable[[str], None],
) -> None:
    tell('raise:2')
    bench = Bench()
    bench.engine.run(picture())
    prepared = bench.engine.prepare(append_head(COMPILED, head()))
    bench.now = 1.0
    bench.engine.retry_if_due()
    bench.retry()
    assert bench.engine.run(picture()).device == 'edgetpu'
    bench.engine.serve(prepared)
    assert 'loading' in bench.engine.status().problem
    answer = bench.engine.run(picture())
    assert (answer.device, answer.served) == ('cpu', prepared)
    bench.retry()
    answer = bench.engine.run(picture())
    assert (answer.device, answer.served) == ('edgetpu', prepared)
    assert bench.engine.status().problem == ''


@pytest.mark.usefixtures('unprobed')
def test_a_failure_while_preparing_a_model_counts_for_the_device(
    tell: Callable[[str], None],
) -> None:
    tell('raise:2')
    bench = Bench()
    prepared = bench.engine.prepare(append_head(COMPILED, head()))
    assert 'told to fail' in bench.reports[0]
    bench.engine.serve(prepared)
    assert bench.engine.run(picture()).served is prepared


@pytest.mark.usefixtures('unprobed')
def test_a_failure_that_a_frame_and_a_training_see_counts_once(
    tell: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench()

    def load(*_arguments: Any, **_options: Any) -> Classifier:
        bench.engine.run(picture())
        raise DeviceError('the device is gone')

    monkeypatch.setattr(edgetpu_engine, 'Classifier', load)
    tell('raise')
    bench.engine.prepare(append_head(COMPILED, head()))
    assert len(bench.reports) == 1
    bench.now = 1.0
    bench.engine.retry_if_due()
    assert bench.waiting


@pytest.mark.usefixtures('unprobed')
def test_models_that_do_not_belong_to_the_extractor_are_rejected() -> None:
    bench = Bench()
    other = build_extractor('uint8', dimension=8, compiled=True)
    small = Head(np.zeros((8, 2), np.float32), np.zeros(2, np.float32), ('a', 'b'), (-6.0, 6.0))
    with pytest.raises(ModelFileError, match="dimension 8, and the extractor's is 16"):
        bench.engine.prepare(append_head(other, small))
    with pytest.raises(ModelFileError, match='not compiled for the Edge TPU'):
        bench.engine.prepare(append_head(TWIN, head()))
    with pytest.raises(ModelFileError, match='not a retrained model'):
        bench.engine.prepare(COMPILED)
    with pytest.raises(ModelFileError, match='was not written by this project'):
        bench.engine.prepare(append_head(COMPILED, head()), trusted=False)
    with pytest.raises(ValueError, match='another engine'):
        bench.engine.serve(PreparedModel(append_head(COMPILED, head()), ()))
    assert bench.engine.run(picture()).device == 'edgetpu'
    assert bench.reports == []
