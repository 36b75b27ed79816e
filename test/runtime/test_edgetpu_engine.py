# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

from collections.abc import Callable
import gc
import os
from pathlib import Path
import subprocess
import sys
import threading
from typing import Any
import weakref

from edgetpu_retrain.errors import DeviceError, ImageError, ModelFileError
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.append_head import append_head
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.runtime import edgetpu_engine
from edgetpu_retrain.runtime.classifier import Classifier
from edgetpu_retrain.runtime.edgetpu_engine import EdgeTpuEngine
from edgetpu_retrain.runtime.engine import Servable
from edgetpu_retrain.runtime.extractor import Extractor
from edgetpu_retrain.runtime.preprocessing import fit_to_input, Image
from edgetpu_retrain.runtime.probe import ProbeLimits
from edgetpu_stand_in import stand_in_embedding
import numpy as np
import pytest
from small_models import build_extractor

DIMENSION = 16
COMPILED = build_extractor('uint8', dimension=DIMENSION, compiled=True)
TWIN = build_extractor('uint8', dimension=DIMENSION)
END_WITH_A_DEVICE_THAT_HANGS = """
import os, sys
import numpy as np
from edgetpu_retrain.runtime.edgetpu_engine import EdgeTpuEngine
compiled, twin = (open(path, 'rb').read() for path in sys.argv[1:])
engine = EdgeTpuEngine(compiled, twin=twin, invoke_timeout_s=0.2)
os.environ['EDGETPU_STAND_IN'] = 'hang:2'
print(engine.run(np.zeros((8, 8, 3), np.uint8)).device)
"""

pytestmark = pytest.mark.usefixtures('edgetpu_library', 'kernel')


class Bench:
    """
    Runs an engine whose time and background are the test's.

    What is to run in the background waits until the test says so.
    """

    def __init__(self, twin: bytes | None = TWIN, **options: Any) -> None:
        self.now = 0.0
        self.told: list[str] = []
        self.waiting: list[Callable[[], None]] = []
        self.engine = EdgeTpuEngine(
            COMPILED,
            twin=twin,
            report=self.told.append,
            clock=lambda: self.now,
            in_background=self.waiting.append,
            **options,
        )

    def retry(self) -> None:
        """Let the attempt that has begun come to its end."""
        (attempt,) = self.waiting
        self.waiting.clear()
        attempt()


@pytest.fixture
def unprobed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the child process out, where it is not what the test is about."""
    monkeypatch.setattr(edgetpu_engine, 'probe', lambda *_arguments, **_options: None)


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what tells the stand-in, in this process and in its children, how to behave."""
    file = tmp_path / 'behaviour'
    monkeypatch.setenv('EDGETPU_STAND_IN', f'@{file}')

    def write(behaviour: str) -> None:
        file.write_text(behaviour)

    return write


def picture(seed: int = 0) -> Image:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 5, 3), np.uint8)
    return np.ascontiguousarray(coarse.repeat(8, axis=0).repeat(8, axis=1))


def head(seed: int = 0, classes: int = 3) -> Head:
    rng = np.random.default_rng(seed)
    weights = rng.normal(0, 0.3, (DIMENSION, classes)).astype(np.float32)
    labels = tuple(f'class {number}' for number in range(classes))
    return Head(weights, np.zeros(classes, np.float32), labels, (-6.0, 6.0))


def of_the_device(rgb: Image) -> Any:
    return stand_in_embedding(fit_to_input(rgb, describe(COMPILED)), DIMENSION)


def of_the_twin(rgb: Image) -> Any:
    return Extractor(TWIN, device='cpu').embed(rgb)


@pytest.mark.usefixtures('runtime')
def test_frames_run_on_the_device(kernel: Path) -> None:
    (kernel / 'dev' / 'apex_0').touch()
    (kernel / 'apex' / 'apex_0').mkdir(parents=True)
    (kernel / 'apex' / 'apex_0' / 'temp').write_text('51200\n')
    bench = Bench(twin=None)
    for seed in range(3):
        answer = bench.engine.run(picture(seed))
        np.testing.assert_array_equal(answer.embedding, of_the_device(picture(seed)))
        assert answer.scores is None
    status = bench.engine.status()
    assert answer.device == status.device == 'pci:0'
    assert status.temperature_celsius == 51.2
    assert status.runtime
    assert status.problem == ''
    assert bench.told == []
    assert bench.engine.description == describe(COMPILED)


@pytest.mark.usefixtures('runtime', 'unprobed')
@pytest.mark.parametrize(
    ('fault', 'part'), [('raise:3', 'told to fail'), ('hang:3', 'hangs (no answer within 0.2 s)')]
)
def test_the_very_frame_of_a_failure_is_served_by_the_twin(
    fault: str, part: str, tell: Callable[[str], None]
) -> None:
    tell(fault)
    bench = Bench(invoke_timeout_s=0.2 if fault.startswith('hang') else 60.0)
    # Loading was the first invocation.
    assert bench.engine.run(picture()).device == 'edgetpu'
    for seed in (1, 2):
        answer = bench.engine.run(picture(seed))
        assert answer.device == bench.engine.status().device == 'cpu'
        np.testing.assert_array_equal(answer.embedding, of_the_twin(picture(seed)))
    (sentence,) = bench.told
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


def test_the_device_is_tried_with_back_off_and_serves_again(tell: Callable[[str], None]) -> None:
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
    assert len(bench.told) == 1
    tell('')
    bench.now = 7.0
    # As a timer does while no frames arrive.
    bench.engine.retry_if_due()
    bench.retry()
    answer = bench.engine.run(picture())
    assert answer.device == 'edgetpu'
    np.testing.assert_array_equal(answer.embedding, of_the_device(picture()))
    assert bench.engine.status().problem == ''
    assert bench.told[1:] == ['The Edge TPU serves again (edgetpu).']


@pytest.mark.usefixtures('unprobed')
def test_a_device_that_fails_again_and_again_is_tried_less_and_less(
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
def test_a_device_that_cannot_start_leaves_the_frames_to_the_twin(
    behaviour: str, part: str, tell: Callable[[str], None]
) -> None:
    tell(behaviour)
    with pytest.raises(DeviceError, match=part):
        Bench(twin=None)
    bench = Bench()
    (sentence,) = bench.told
    assert part in sentence
    assert bench.engine.run(picture()).device == 'cpu'
    tell('')
    bench.now = 1.0
    bench.engine.retry_if_due()
    bench.retry()
    assert bench.engine.run(picture()).device == 'edgetpu'


@pytest.mark.usefixtures('unprobed')
def test_a_device_that_hangs_while_it_loads_does_not_take_the_node_with_it(
    tell: Callable[[str], None],
) -> None:
    tell('hang:1')
    bench = Bench(limits=ProbeLimits(wall_s=0.2))
    assert 'hangs' in bench.told[0]
    assert bench.engine.run(picture()).device == 'cpu'


@pytest.mark.usefixtures('runtime', 'unprobed')
def test_a_model_is_swapped_in_on_the_device_and_on_the_twin(tell: Callable[[str], None]) -> None:
    bench = Bench()
    for seed in (0, 1):
        model = append_head(COMPILED, head(seed, 3 + seed))
        servable = bench.engine.prepare(model)
        assert servable.labels == head(seed, 3 + seed).labels
        bench.engine.serve(servable)
        answer = bench.engine.run(picture())
        assert answer.served is servable
        assert answer.device == 'edgetpu'
        wanted = Classifier(model).classify(picture())
        assert answer.scores is not None
        np.testing.assert_array_equal(answer.scores, wanted.scores)
        np.testing.assert_array_equal(answer.embedding, wanted.embedding)
    tell('raise')
    for seed in (1, 2):
        if seed == 2:
            servable = bench.engine.prepare(append_head(COMPILED, head(seed, 5)))
            bench.engine.serve(servable)
        answer = bench.engine.run(picture(7))
        assert answer.served is servable
        assert answer.device == 'cpu'
        on_the_twin = Classifier(append_head(TWIN, head(seed, 3 + seed)), device='cpu')
        wanted = on_the_twin.classify(picture(7))
        assert answer.scores is not None
        np.testing.assert_array_equal(answer.scores, wanted.scores)
        np.testing.assert_array_equal(answer.embedding, wanted.embedding)
        assert len(servable.labels) == len(wanted.scores)
    tell('')
    bench.now = 100.0
    bench.engine.retry_if_due()
    bench.retry()
    answer = bench.engine.run(picture())
    assert answer.device == 'edgetpu'
    assert answer.served is servable
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
    servable = bench.engine.prepare(append_head(COMPILED, head()))
    bench.retry()
    # The device is back, with the model that has just been replaced.
    bench.engine.serve(servable)
    assert bench.engine.run(picture()).device == 'cpu'
    bench.retry()
    answer = bench.engine.run(picture())
    assert answer.device == 'edgetpu'
    assert answer.served is servable


@pytest.mark.usefixtures('unprobed')
def test_a_model_prepared_before_the_device_came_back_is_loaded_there(
    tell: Callable[[str], None],
) -> None:
    tell('raise:2')
    bench = Bench()
    bench.engine.run(picture())
    servable = bench.engine.prepare(append_head(COMPILED, head()))
    bench.now = 1.0
    bench.engine.retry_if_due()
    bench.retry()
    assert bench.engine.run(picture()).device == 'edgetpu'
    bench.engine.serve(servable)
    assert 'loading' in bench.engine.status().problem
    answer = bench.engine.run(picture())
    assert (answer.device, answer.served) == ('cpu', servable)
    bench.retry()
    answer = bench.engine.run(picture())
    assert (answer.device, answer.served) == ('edgetpu', servable)
    assert bench.engine.status().problem == ''


@pytest.mark.usefixtures('unprobed')
def test_a_failure_while_a_model_is_prepared_is_the_devices(tell: Callable[[str], None]) -> None:
    tell('raise:2')
    bench = Bench()
    servable = bench.engine.prepare(append_head(COMPILED, head()))
    assert 'told to fail' in bench.told[0]
    bench.engine.serve(servable)
    assert bench.engine.run(picture()).served is servable


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
    assert len(bench.told) == 1
    bench.now = 1.0
    bench.engine.retry_if_due()
    assert bench.waiting


@pytest.mark.usefixtures('runtime', 'unprobed')
def test_a_device_that_failed_is_let_go_so_that_it_can_be_opened_again(
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
def test_a_picture_that_is_none_is_no_failure_of_the_device() -> None:
    bench = Bench()
    with pytest.raises(ImageError):
        bench.engine.run(np.zeros((4, 4), np.uint8))
    assert bench.engine.run(picture()).device == 'edgetpu'
    assert bench.told == []


@pytest.mark.usefixtures('unprobed')
def test_models_that_do_not_belong_to_the_extractor_are_refused() -> None:
    bench = Bench()
    other = build_extractor('uint8', dimension=8, compiled=True)
    small = Head(np.zeros((8, 2), np.float32), np.zeros(2, np.float32), ('a', 'b'), (-6.0, 6.0))
    with pytest.raises(ModelFileError, match="dimension 8, and the extractor's is 16"):
        bench.engine.prepare(append_head(other, small))
    with pytest.raises(ModelFileError, match='not compiled for the Edge TPU'):
        bench.engine.prepare(append_head(TWIN, head()))
    with pytest.raises(ModelFileError, match='no retrained model'):
        bench.engine.prepare(COMPILED)
    with pytest.raises(ModelFileError, match='was not written by this project'):
        bench.engine.prepare(append_head(COMPILED, head()), trusted=False)
    with pytest.raises(ValueError, match='another engine'):
        bench.engine.serve(Servable(append_head(COMPILED, head()), ()))
    assert bench.engine.run(picture()).device == 'edgetpu'
    assert bench.told == []


@pytest.mark.usefixtures('unprobed')
def test_a_closed_engine_lets_go_of_the_device_for_good(tell: Callable[[str], None]) -> None:
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
    assert len(bench.told) == 1


def test_the_retry_has_a_thread_of_its_own_in_the_end(tell: Callable[[str], None]) -> None:
    told: list[str] = []
    back = threading.Event()
    tell('absent')
    engine = EdgeTpuEngine(COMPILED, twin=TWIN, report=told.append)
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
