# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0

from collections.abc import Callable
import json
import os
from pathlib import Path
import select
import signal
import subprocess
import sys
import time
from typing import Any

from edgetpu_retrain.errors import DeviceError, ModelFileError, RetrainError
from edgetpu_retrain.runtime.interpreters.probe import probe, ProbeLimits
import pytest
from support.small_models import build_extractor, build_extractor_tree, pack

pytestmark = pytest.mark.usefixtures('measured_processes')

MODEL = build_extractor('uint8')
COMPILED = build_extractor('uint8', compiled=True)
PATIENCE_S = 60.0
PARENT = """
from pathlib import Path
import sys
from edgetpu_retrain.runtime.interpreters.probe import probe
probe(Path(sys.argv[1]).read_bytes())
"""


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def greedy_model() -> bytes:
    """Return a model of some kilobytes that takes in a picture of 108 megabytes."""
    tree = build_extractor_tree('uint8')
    tree.subgraphs[0].tensors[0].shape = [1, 6000, 6000, 3]
    return pack(tree)


def has_address_space_limit() -> bool:
    """Tell whether the system enforces RLIMIT_AS; qemu's user-mode emulation ignores it."""
    code = (
        'import mmap, resource; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30)); '
        'mmap.mmap(-1, 2**31)'
    )
    done = subprocess.run([sys.executable, '-c', code], check=False, capture_output=True)
    return done.returncode != 0


def refusal(kind: type[RetrainError], model: bytes, **options: Any) -> str:
    with pytest.raises(kind) as refused:
        probe(model, **options)
    message = str(refused.value)
    assert '\n' not in message
    return message


@pytest.mark.parametrize('dtype', ['uint8', 'int8', 'float32'])
def test_a_sound_model_passes(dtype: str) -> None:
    probe(build_extractor(dtype), device='cpu', num_threads=2)


def test_a_model_that_kills_the_runtime_is_rejected(killing_extractor: bytes) -> None:
    message = refusal(ModelFileError, killing_extractor)
    assert 'was ended by SIG' in message
    assert 'the file is damaged' in message
    assert 'INFO' not in message


def test_a_model_that_the_runtime_refuses_is_rejected_in_its_words() -> None:
    model = COMPILED.replace(b'edgetpu-custom-op', b'unknown-custom-op')
    assert 'unknown-custom-op' in refusal(ModelFileError, model)


def test_a_damaged_file_does_not_even_reach_the_child() -> None:
    assert 'damaged' in refusal(ModelFileError, MODEL[: len(MODEL) // 2])


def test_a_model_that_takes_too_much_memory_is_rejected() -> None:
    if not has_address_space_limit():
        pytest.skip('this system does not enforce RLIMIT_AS, as qemu does not')
    probe(greedy_model(), limits=ProbeLimits(600.0, 600, memory=2**30))
    refusal(ModelFileError, greedy_model(), limits=ProbeLimits(600.0, 600, memory=2**26))


@pytest.mark.usefixtures('edgetpu_library')
def test_a_compiled_model_is_probed_on_the_edge_tpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('EDGETPU_STAND_IN_LOG', str(tmp_path / 'log'))
    probe(COMPILED, device='usb:1')
    assert (tmp_path / 'log').read_text() == 'device=usb:1\n'


@pytest.mark.parametrize(
    ('behaviour', 'part'),
    [
        ('absent', 'No Edge TPU is attached'),
        ('raise:1', 'The stand-in was told to fail'),
        ('raise:2', 'The stand-in was told to fail'),
        ('abort:1', 'was ended by SIGABRT'),
        ('spin:1', 'was ended by SIGXCPU'),
        ('hang:1', 'did not end within 4 s'),
    ],
)
@pytest.mark.usefixtures('kernel', 'edgetpu_library')
def test_an_edge_tpu_that_fails_gives_one_sentence(
    behaviour: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('EDGETPU_STAND_IN', behaviour)
    wall_s = 4.0 if behaviour.startswith('hang') else 600.0
    # To start takes half a second of CPU time, and on an emulated processor a hundred times that.
    cpu_s = 3 if behaviour.startswith('spin') else 600
    message = refusal(DeviceError, COMPILED, limits=ProbeLimits(wall_s=wall_s, cpu_s=cpu_s))
    assert part in message
    assert "the model's CPU twin" in message


@pytest.mark.usefixtures('kernel', 'edgetpu_library')
def test_a_child_whose_device_hangs_does_not_outlive_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, model = tmp_path / 'log', tmp_path / 'model.tflite'
    model.write_bytes(COMPILED)
    monkeypatch.setenv('EDGETPU_STAND_IN', 'hang:1')
    monkeypatch.setenv('EDGETPU_STAND_IN_LOG', str(log))
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(entry for entry in sys.path if entry))
    parent = subprocess.Popen([sys.executable, '-c', PARENT, str(model)])
    try:
        wait_until(log.exists)
        (child,) = Path(f'/proc/{parent.pid}/task/{parent.pid}/children').read_text().split()
        watched = os.pidfd_open(int(child))
    finally:
        parent.kill()
        parent.wait()
    with os.fdopen(watched) as file:
        ended, _, _ = select.select([file], [], [], ProbeLimits.wall_s - 10.0)
    assert ended


@pytest.mark.usefixtures('kernel', 'edgetpu_library')
def test_a_child_whose_device_hangs_ends_by_itself_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('EDGETPU_STAND_IN', 'hang:1')
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(entry for entry in sys.path if entry))
    command = [
        sys.executable,
        '-m',
        'edgetpu_retrain.runtime.interpreters.probe',
        json.dumps([{'compiled': True}, {'wall_s': 1.0}]),
    ]
    child = subprocess.run(
        command,
        check=False,
        input=COMPILED,
        capture_output=True,
        timeout=PATIENCE_S,
    )
    assert child.returncode == -signal.SIGALRM, child.stderr


def test_the_child_imports_what_this_process_does_wherever_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'numpy.py').write_text('raise SystemExit("a file of the folder was imported")')
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('PYTHONPATH', raising=False)
    probe(MODEL)


def test_a_child_that_cannot_be_started_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('sys.executable', '/there/is/no/python')
    assert 'could not be tried' in refusal(DeviceError, MODEL)


@pytest.fixture
def begin_child_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what makes child processes run some lines of Python before anything else."""

    def write(lines: str) -> None:
        (tmp_path / 'sitecustomize.py').write_text(lines)
        monkeypatch.syspath_prepend(str(tmp_path))

    return write


@pytest.mark.parametrize('model', [MODEL, COMPILED])
@pytest.mark.parametrize(
    ('lines', 'limits', 'part'),
    [
        ('import os; os.kill(os.getpid(), 9)', None, 'was ended by SIGKILL'),
        ('import os; os.kill(os.getpid(), 14)', None, 'was ended by SIGALRM'),
        ('import signal; signal.pause()', ProbeLimits(wall_s=1.0), 'did not end within 1 s'),
    ],
)
def test_a_machine_without_memory_or_time_is_not_taken_for_damage(
    begin_child_with: Callable[[str], None],
    model: bytes,
    lines: str,
    limits: ProbeLimits | None,
    part: str,
) -> None:
    begin_child_with(lines)
    message = refusal(DeviceError, model, limits=limits)
    assert part in message
    assert 'too little memory or other programs keep the processor busy: end other' in message
    assert 'damaged' not in message
    assert 'another TensorFlow Lite' not in message
    assert ('the device hangs' in message) == (model is COMPILED and 'SIGKILL' not in part)


def test_too_little_memory_in_the_child_is_not_taken_for_damage(
    begin_child_with: Callable[[str], None],
) -> None:
    begin_child_with(
        'import numpy\ndef fail(_seed): raise MemoryError\nnumpy.random.default_rng = fail'
    )
    message = refusal(ModelFileError, MODEL)
    assert 'needs more memory than it may use, or than is free' in message
    assert 'damaged' not in message


def test_the_childs_error_is_reported(begin_child_with: Callable[[str], None]) -> None:
    begin_child_with('import os\nos.write(2, b"no luck")\nos._exit(3)')
    assert 'ended with code 3 (no luck)' in refusal(ModelFileError, MODEL)
