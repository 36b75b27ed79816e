# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0

from typing import Any

from edgetpu_retrain.errors import DeviceError, ModelFileError
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.runtime.engines import device_engines
from edgetpu_retrain.runtime.engines.cpu_engine import CpuEngine
from edgetpu_retrain.runtime.engines.device_engines import make_engine
from edgetpu_retrain.runtime.engines.edgetpu_engine import EdgeTpuEngine
import numpy as np
import pytest
from support.small_models import build_extractor, build_extractor_tree, pack

COMPILED = build_extractor('uint8', compiled=True)
TWIN = build_extractor('uint8')


@pytest.mark.usefixtures('kernel')
def test_the_packaged_extractor_is_not_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_arguments: Any, **_options: Any) -> None:
        raise AssertionError('a process was started')

    monkeypatch.setattr(device_engines, 'probe', forbidden)
    engine = make_engine(default_extractor_path().read_bytes())
    assert isinstance(engine, CpuEngine)
    assert engine.status().device == 'cpu'
    assert engine.status().runtime


def test_a_foreign_extractor_that_kills_the_runtime_is_rejected(killing_extractor: bytes) -> None:
    assert isinstance(make_engine(TWIN, device='cpu'), CpuEngine)
    with pytest.raises(ModelFileError, match='was ended by SIG'):
        make_engine(killing_extractor)


def test_an_extractor_on_the_cpu_notes_an_idle_edge_tpu(kernel: Any) -> None:
    (kernel / 'dev' / 'apex_0').touch()
    engine = make_engine(default_extractor_path().read_bytes())
    assert 'An Edge TPU is attached' in engine.note
    assert engine.status().device == 'cpu'


@pytest.mark.usefixtures('kernel', 'edgetpu_library')
def test_a_compiled_extractor_runs_on_the_edge_tpu_or_its_twin_on_the_cpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = make_engine(COMPILED, fallback=TWIN)
    assert isinstance(engine, EdgeTpuEngine)
    assert engine.status().device == 'edgetpu'
    assert engine.status().problem == ''
    monkeypatch.setenv('EDGETPU_STAND_IN', 'absent')
    told: list[str] = []
    engine = make_engine(COMPILED, fallback=TWIN, report=told.append)
    assert engine.status().device == 'cpu'
    assert 'No Edge TPU is attached' in told[0]
    assert engine.run(np.zeros((8, 8, 3), np.uint8)).embedding.dtype == np.uint8
    with pytest.raises(DeviceError, match='No Edge TPU is attached'):
        make_engine(COMPILED)


@pytest.mark.parametrize(
    ('fallback', 'part'),
    [
        (COMPILED, 'fallback_extractor is compiled for the Edge TPU'),
        (build_extractor('uint8', dimension=9), 'fallback_extractor has dimension 9'),
        (build_extractor('int8'), 'fallback_extractor has input_dtype int8'),
        (build_extractor('uint8', image_size=16), 'fallback_extractor has input_shape'),
        (b'no model', 'not a TensorFlow Lite model'),
    ],
)
def test_a_model_other_than_the_twin_is_rejected(fallback: bytes, part: str) -> None:
    with pytest.raises(ModelFileError, match=part):
        make_engine(COMPILED, fallback=fallback)


def test_a_twin_of_another_quantization_is_rejected() -> None:
    tree = build_extractor_tree('uint8')
    tree.subgraphs[0].tensors[-1].quantization.scale = np.array([0.5], np.float32)
    with pytest.raises(ModelFileError, match='fallback_extractor has quantization'):
        make_engine(COMPILED, fallback=pack(tree))


def test_a_twin_that_kills_the_runtime_is_rejected(killing_extractor: bytes) -> None:
    compiled = build_extractor('uint8', dimension=16, compiled=True)
    with pytest.raises(ModelFileError, match='was ended by SIG'):
        make_engine(compiled, fallback=killing_extractor)
