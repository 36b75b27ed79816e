# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0

from typing import Any

from edgetpu_retrain.errors import DeviceError, ImageError, ModelFileError
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.runtime.engines.cpu_engine import CpuEngine
from edgetpu_retrain.runtime.engines.engine import PreparedModel
from edgetpu_retrain.runtime.interpreters.preprocessing import RgbArray
from edgetpu_retrain.runtime.models.classifier import Classifier
from edgetpu_retrain.runtime.models.extractor import Extractor
import numpy as np
import pytest
from support.small_models import build_extractor

DIMENSION = 16
EXTRACTOR = build_extractor('uint8', dimension=DIMENSION)


def picture(seed: int = 0) -> RgbArray:
    return np.random.default_rng(seed).integers(0, 256, (30, 40, 3), np.uint8)


def retrained(extractor: bytes = EXTRACTOR, seed: int = 0, classes: int = 3) -> bytes:
    rng = np.random.default_rng(seed)
    weights = rng.normal(0, 0.3, (describe(extractor).dimension, classes)).astype(np.float32)
    labels = tuple(f'class {number}' for number in range(classes))
    head = Head(weights, np.zeros(classes, np.float32), labels, (-6.0, 6.0))
    return append_head(extractor, head)


def break_interpreter(
    engine: CpuEngine, monkeypatch: pytest.MonkeyPatch, error: Exception | None = None
) -> None:
    def fail(*_arguments: Any) -> None:
        raise error or RuntimeError('node 3\nfailed')

    assert engine._model is not None
    monkeypatch.setattr(engine._model.loaded.interpreter, 'invoke', fail)


@pytest.mark.usefixtures('kernel')
def test_before_the_first_model_there_are_embeddings(runtime: str) -> None:
    engine = CpuEngine(EXTRACTOR)
    answer = engine.run(picture())
    np.testing.assert_array_equal(answer.embedding, Extractor(EXTRACTOR).embed(picture()))
    assert answer.scores is None
    assert answer.served is None
    assert answer.device == engine.status().device == 'cpu'
    assert answer.times.resize_s > 0
    assert answer.times.invoke_s > 0
    assert engine.description == describe(EXTRACTOR)
    assert engine.status().problem == ''
    # Coral's runtime has XNNPACK for float models only.
    assert ('XNNPACK' in engine.note) == (runtime == 'tflite-runtime')
    assert engine.status().temperature_celsius is None


@pytest.mark.parametrize('serves', [False, True])
def test_the_caller_learns_when_inference_releases_the_gil(serves: bool) -> None:
    engine = CpuEngine(EXTRACTOR)
    if serves:
        engine.serve(engine.prepare(retrained()))
    calls: list[None] = []
    engine.run(picture(), lambda: calls.append(None))
    assert len(calls) == 1
    with pytest.raises(ImageError):
        engine.run(np.zeros((4, 4), np.uint8), lambda: calls.append(None))
    assert len(calls) == 1


@pytest.mark.usefixtures('runtime')
def test_a_model_serves_from_the_next_frame_on() -> None:
    engine = CpuEngine(EXTRACTOR)
    for seed in range(3):
        model = retrained(seed=seed, classes=seed + 2)
        prepared = engine.prepare(model)
        before = engine.run(picture())
        engine.serve(prepared)
        answer = engine.run(picture())
        assert before.served is not prepared
        assert answer.served is prepared
        assert (prepared.model, len(prepared.labels)) == (model, seed + 2)
        wanted = Classifier(model).classify(picture())
        assert answer.scores is not None
        np.testing.assert_array_equal(answer.scores, wanted.scores)
        np.testing.assert_array_equal(answer.embedding, before.embedding)
        assert answer.times.invoke_s > 0


def test_a_model_of_another_extractor_is_rejected() -> None:
    engine = CpuEngine(EXTRACTOR)
    for extractor, part in [
        (build_extractor('uint8', dimension=8), "dimension 8, and the extractor's is 16"),
        (build_extractor('int8', dimension=DIMENSION), 'input_dtype int8'),
        (build_extractor('uint8', dimension=DIMENSION, image_size=16), 'input_shape'),
    ]:
        with pytest.raises(ModelFileError, match=part):
            engine.prepare(retrained(extractor))
    with pytest.raises(ModelFileError, match='not a retrained model'):
        engine.prepare(EXTRACTOR)


def test_a_foreign_model_is_probed_in_a_child_process(killing_extractor: bytes) -> None:
    engine = CpuEngine(EXTRACTOR)
    engine.serve(engine.prepare(retrained(), trusted=False))
    with pytest.raises(ModelFileError, match='was ended by SIG'):
        engine.prepare(retrained(killing_extractor), trusted=False)


def test_what_another_engine_prepared_is_rejected() -> None:
    with pytest.raises(ValueError, match='another engine'):
        CpuEngine(EXTRACTOR).serve(PreparedModel(retrained(), ()))


def test_a_failed_inference_is_reported_once_and_the_next_may_succeed() -> None:
    told: list[str] = []
    engine = CpuEngine(EXTRACTOR, report=told.append)
    with pytest.MonkeyPatch.context() as patch:
        break_interpreter(engine, patch)
        for _ in range(3):
            with pytest.raises(
                DeviceError, match=r'^The CPU did not run the model \(node 3 failed\)$'
            ):
                engine.run(picture())
        assert engine.status().problem == told[0]
    assert len(told) == 1
    engine.retry_if_due()
    engine.run(picture())
    assert engine.status().problem == ''


def test_an_invalid_picture_is_not_an_engine_failure() -> None:
    told: list[str] = []
    engine = CpuEngine(EXTRACTOR, report=told.append)
    with pytest.raises(ImageError):
        engine.run(np.zeros((4, 4), np.uint8))
    assert engine.status().problem == ''
    assert told == []


def test_too_little_memory_is_not_an_engine_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    engine = CpuEngine(EXTRACTOR, report=told.append)
    break_interpreter(engine, monkeypatch, MemoryError())
    with pytest.raises(MemoryError):
        engine.run(picture())
    assert engine.status().problem == ''
    assert told == []


def test_a_closed_engine_raises() -> None:
    engine = CpuEngine(EXTRACTOR)
    engine.serve(engine.prepare(retrained()))
    engine.close()
    with pytest.raises(DeviceError, match='closed'):
        engine.run(picture())
