# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""An engine whose Edge TPU fails, recovers, hangs, or is closed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
import gc
import os
from pathlib import Path
import subprocess
import sys
import threading
from typing import Any
import weakref

from edgetpu_retrain.errors import DeviceError, ImageError, ModelFileError
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.runtime.engines import edgetpu_engine, guarded_model
from edgetpu_retrain.runtime.engines.edgetpu_engine import EdgeTpuEngine
from edgetpu_retrain.runtime.interpreters.probe import ProbeLimits
from edgetpu_retrain.runtime.models.extractor import Extractor
import numpy as np
import pytest
from support.edgetpu_bench import (
    Bench,
    COMPILED,
    device_embedding,
    picture,
    TWIN,
    twin_embedding,
)
from support.small_models import build_extractor
from support.waiting import PATIENCE_S

END_WITH_A_DEVICE_THAT_HANGS = """
import os, sys
import numpy as np
from edgetpu_retrain.runtime.engines.edgetpu_engine import EdgeTpuEngine
compiled, twin = (open(path, 'rb').read() for path in sys.argv[1:])
engine = EdgeTpuEngine(compiled, twin=twin, invoke_timeout_s=0.2)
os.environ['EDGETPU_STAND_IN'] = 'hang:2'
print(engine.run(np.zeros((8, 8, 3), np.uint8)).device)
"""

pytestmark = pytest.mark.usefixtures('edgetpu_library', 'kernel')


@pytest.mark.usefixtures('runtime')
def test_frames_run_on_the_device(kernel: Path) -> None:
    (kernel / 'dev' / 'apex_0').touch()
    (kernel / 'apex' / 'apex_0').mkdir(parents=True)
    (kernel / 'apex' / 'apex_0' / 'temp').write_text('51200\n')
    bench = Bench(twin=None)
    for seed in range(3):
        answer = bench.engine.run(picture(seed))
        np.testing.assert_array_equal(answer.embedding, device_embedding(picture(seed)))
        assert answer.scores is None
    status = bench.engine.status()
    assert answer.device == status.device == 'pci:0'
    assert status.temperature_celsius == 51.2
    assert status.runtime
    assert status.problem == ''
    assert bench.reports == []
    assert bench.engine.description == describe(COMPILED)


@pytest.mark.usefixtures('runtime', 'unprobed')
@pytest.mark.parametrize(
    ('fault', 'part'), [('raise:3', 'told to fail'), ('hang:3', 'hangs (no result within 1 s)')]
)
def test_the_twin_runs_the_frame_on_which_the_device_failed(
    fault: str, part: str, tell: Callable[[str], None]
) -> None:
    tell(fault)
    bench = Bench()
    # Loading was the first invocation.
    assert bench.engine.run(picture()).device == 'edgetpu'
    if fault.startswith('hang'):
        # Only from now on: a busy machine takes its time for an inference that does not hang.
        bench.engine._invoke_timeout_s = 1.0
    for seed in (1, 2):
        calls: list[None] = []
        answer = bench.engine.run(picture(seed), partial(calls.append, None))
        # The device's inference and the twin's, then the twin's alone.
        assert len(calls) == 3 - seed
        assert answer.device == bench.engine.status().device == 'cpu'
        np.testing.assert_array_equal(answer.embedding, twin_embedding(picture(seed)))
    (sentence,) = bench.reports
    assert bench.engine.status().problem == sentence
    assert part in sentence
    assert 'fallback_extractor serves on the CPU' in sentence
    assert '\n' not in sentence


@pytest.mark.usefixtures('unprobed')
def test_without_a_twin_frames_are_lost_until_the_device_is_back(
    tell: Callable[[str], None],
) -> None:
    tell('raise:2')
    bench = Bench(twin=None)
    for _ in range(2):
        with pytest.raises(DeviceError, match=r'told to fail.*no fallback_extractor'):
            bench.engine.run(picture())
    assert bench.engine.status().device == ''
    bench.now = 1.0
    with pytest.raises(DeviceError):
        bench.engine.run(picture())
    bench.retry()
    assert bench.engine.run(picture()).device == 'edgetpu'
    assert bench.engine.status().problem == ''


@pytest.mark.usefixtures('unprobed')
def test_a_twin_that_fails_is_a_failure_of_the_cpu(
    tell: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    tell('raise:2')
    bench = Bench()

    def fail() -> None:
        raise RuntimeError('node 3\nfailed')

    twin = bench.engine._twin
    assert twin is not None
    with monkeypatch.context() as patch:
        patch.setattr(twin._extractor.loaded.interpreter, 'invoke', fail)
        with pytest.raises(DeviceError, match=r'The CPU did not run the model \(node 3 failed\)'):
            bench.engine.run(picture())
    assert 'The Edge TPU failed' in bench.reports[0]
    assert bench.engine.run(picture()).device == 'cpu'


def test_the_device_is_retried_with_back_off_and_recovers(tell: Callable[[str], None]) -> None:
    tell('raise:2')
    bench = Bench()
    bench.engine.run(picture())
    tell('absent')
    for due in (1.0, 3.0):
        bench.now = due - 0.01
        bench.engine.run(picture())
        bench.engine.retry_if_due()
        assert bench.waiting == []
        bench.now = due
        # Frames go on meanwhile, and begin no second attempt.
        for _ in range(3):
            assert bench.engine.run(picture()).device == 'cpu'
        bench.retry()
        assert 'No Edge TPU is attached' in bench.engine.status().problem
    assert len(bench.reports) == 1
    tell('')
    bench.now = 7.0
    # As a timer does while no frames arrive.
    bench.engine.retry_if_due()
    bench.retry()
    answer = bench.engine.run(picture())
    assert answer.device == 'edgetpu'
    np.testing.assert_array_equal(answer.embedding, device_embedding(picture()))
    assert bench.engine.status().problem == ''
    assert bench.reports[1:] == ['The Edge TPU serves again (edgetpu).']


@pytest.mark.usefixtures('unprobed')
def test_a_device_that_keeps_failing_is_retried_less_often(
    tell: Callable[[str], None],
) -> None:
    bench = Bench()
    waits = []
    for _ in range(4):
        tell('raise')
        bench.engine.run(picture())
        tell('')
        failed_at = bench.now
        while not bench.waiting:
            bench.now += 0.5
            bench.engine.retry_if_due()
        waits.append(bench.now - failed_at)
        bench.retry()
        assert bench.engine.run(picture()).device == 'edgetpu'
    assert waits == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize(
    ('behaviour', 'part'),
    [('absent', 'No Edge TPU is attached'), ('abort:1', 'ended by SIGABRT')],
)
def test_the_twin_runs_frames_if_the_device_cannot_start(
    behaviour: str, part: str, tell: Callable[[str], None]
) -> None:
    tell(behaviour)
    with pytest.raises(DeviceError, match=part):
        Bench(twin=None)
    bench = Bench()
    (sentence,) = bench.reports
    assert part in sentence
    assert bench.engine.run(picture()).device == 'cpu'
    tell('')
    bench.now = 1.0
    bench.engine.retry_if_due()
    bench.retry()
    assert bench.engine.run(picture()).device == 'edgetpu'


@pytest.mark.parametrize(
    ('device', 'part'),
    [
        ('foo:1', r"device is 'foo:1'; it must be 'auto', 'cpu', 'usb'"),
        ('cpu', r"device is 'cpu', but this model is compiled .* set device to 'auto'"),
    ],
)
def test_a_device_that_can_never_run_the_model_is_rejected(device: str, part: str) -> None:
    for twin in (TWIN, None):
        with pytest.raises(DeviceError, match=part):
            Bench(twin, device=device, may_start_down=True)


def test_an_extractor_that_no_device_can_run_is_rejected() -> None:
    compiled = build_extractor('float32', compiled=True, normalization=None)
    with pytest.raises(ModelFileError, match='does not state the range'):
        EdgeTpuEngine(compiled, may_start_down=True)


@pytest.mark.usefixtures('unprobed')
def test_a_device_that_hangs_while_loading_does_not_block_the_node(
    tell: Callable[[str], None],
) -> None:
    tell('hang:1')
    bench = Bench(limits=ProbeLimits(wall_s=0.2))
    assert 'hangs' in bench.reports[0]
    assert bench.engine.run(picture()).device == 'cpu'


@pytest.mark.usefixtures('runtime', 'unprobed')
def test_a_failed_device_is_released_so_that_it_can_be_reopened(
    tell: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[weakref.ref[Extractor]] = []

    def load(*arguments: Any, **options: Any) -> Extractor:
        extractor = Extractor(*arguments, **options)
        loaded.append(weakref.ref(extractor))
        return extractor

    monkeypatch.setattr(edgetpu_engine, 'Extractor', load)
    tell('raise:2')
    # Other tests have left hanging ones behind.
    before = set(threading.enumerate())
    bench = Bench()
    assert loaded[0]() is not None
    gc.disable()
    try:
        bench.engine.run(picture())
        # Its thread is told to end, and may take a moment.
        for thread in set(threading.enumerate()) - before:
            thread.join(60)
        assert loaded[0]() is None
    finally:
        gc.enable()


@pytest.mark.usefixtures('unprobed')
def test_an_invalid_picture_is_not_a_device_failure() -> None:
    bench = Bench()
    with pytest.raises(ImageError):
        bench.engine.run(np.zeros((4, 4), np.uint8))
    assert bench.engine.run(picture()).device == 'edgetpu'
    assert bench.reports == []


@pytest.mark.usefixtures('unprobed')
def test_too_little_memory_is_not_a_device_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()

    def fail(*_arguments: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(guarded_model, 'infer', fail)
        with pytest.raises(MemoryError):
            bench.engine.run(picture())
    assert bench.engine.run(picture()).device == 'edgetpu'
    assert bench.reports == []


@pytest.mark.usefixtures('unprobed')
def test_a_closed_engine_releases_the_device_permanently(tell: Callable[[str], None]) -> None:
    tell('raise:2')
    bench = Bench()
    bench.engine.run(picture())
    bench.now = 1.0
    bench.engine.retry_if_due()
    bench.engine.close()
    bench.retry()
    with pytest.raises(DeviceError, match='closed'):
        bench.engine.run(picture())
    bench.now = 100.0
    bench.engine.retry_if_due()
    assert bench.waiting == []
    assert len(bench.reports) == 1


def test_the_retry_has_a_thread_of_its_own_in_the_end(tell: Callable[[str], None]) -> None:
    told: list[str] = []
    back = threading.Event()
    tell('absent')
    engine = EdgeTpuEngine(COMPILED, twin=TWIN, invoke_timeout_s=PATIENCE_S, report=told.append)
    tell('')
    while len(told) < 2:
        engine.run(picture())
        back.wait(0.05)
    assert engine.run(picture()).device == 'edgetpu'


def test_a_device_that_hangs_does_not_keep_the_process_from_ending(
    tmp_path: Path, package_path: str
) -> None:
    paths = []
    for name, model in (('model_edgetpu.tflite', COMPILED), ('model.tflite', TWIN)):
        (tmp_path / name).write_bytes(model)
        paths.append(str(tmp_path / name))
    process = subprocess.run(
        [sys.executable, '-c', END_WITH_A_DEVICE_THAT_HANGS, *paths],
        env={**os.environ, 'PYTHONPATH': package_path},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert process.stdout == 'cpu\n'
