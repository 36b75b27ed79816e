# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator
import os
from pathlib import Path
import signal
import subprocess
import sys
import textwrap
import time

from edgetpu_retrain.processes import child_process as processes_module
from edgetpu_retrain.processes.child_process import Child, Processes
import pytest

# A busy machine, or an emulated processor, takes its time for an interrupt.
PATIENT_S = 120.0

STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('ready', flush=True)
while True:
    time.sleep(60)
"""

POLITE = """
import sys, time
try:
    print('ready', flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print('interrupted', flush=True)
    sys.exit(7)
"""


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes_module, 'SECONDS_TO_END', PATIENT_S)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with Processes(tmp_path) as started:
        yield started


def start(processes: Processes, script: str, name: str = 'child') -> Child:
    return processes.start(name, [sys.executable, '-c', textwrap.dedent(script)])


def wait_until_ready(child: Child) -> None:
    # The log is a plain file, which has no event to wait for.
    while 'ready' not in child.log.read_text():
        assert child.exit_code is None, child.last_log_lines()
        time.sleep(0.02)


def is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_first_child_that_ends_is_returned_with_its_exit_code(processes: Processes) -> None:
    start(processes, POLITE, 'long')
    start(processes, 'raise SystemExit(3)', 'short')
    ended = processes.wait_for_one(PATIENT_S)
    assert ended is not None
    assert (ended.name, ended.exit_code) == ('short', 3)


def test_waiting_ends_when_the_time_is_up(processes: Processes) -> None:
    child = start(processes, POLITE)
    assert processes.wait_for_one(0.05) is None
    assert child.exit_code is None


def test_the_log_contains_output_and_errors(processes: Processes) -> None:
    script = 'import sys\nfor n in range(30): print(n, flush=True)\nsys.stderr.write("broken")'
    child = start(processes, script)
    assert processes.wait_for_one(PATIENT_S) is child
    assert child.last_log_lines(3) == '28\n29\nbroken'


def test_children_get_sigint_first(processes: Processes) -> None:
    child = start(processes, POLITE)
    wait_until_ready(child)
    processes.end_all()
    assert child.exit_code == 7
    assert child.last_log_lines(1) == 'interrupted'


def test_a_child_that_does_not_exit_is_killed(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes_module, 'SECONDS_TO_END', 0.1)
    monkeypatch.setattr(processes_module, '_SECONDS_TO_TERMINATE', 0.1)
    child = start(processes, STUBBORN)
    wait_until_ready(child)
    processes.end_all()
    assert child.exit_code == -signal.SIGKILL


def test_children_of_children_get_the_signal_too(processes: Processes) -> None:
    script = f"""
    import subprocess, sys
    grandchild = subprocess.Popen([sys.executable, '-c', {POLITE!r}], stdout=subprocess.PIPE)
    try:
        print(grandchild.pid, grandchild.stdout.readline().decode(), flush=True)
        grandchild.wait()
    except KeyboardInterrupt:
        sys.exit(grandchild.wait())
    """
    child = start(processes, script)
    wait_until_ready(child)
    grandchild = int(child.log.read_text().split()[0])
    processes.end_all()
    assert not is_running(grandchild)


def test_an_exception_ends_the_children(tmp_path: Path) -> None:
    children = []

    def fail() -> None:
        with Processes(tmp_path) as processes:
            children.append(start(processes, POLITE))
            wait_until_ready(children[0])
            raise RuntimeError('on purpose')

    with pytest.raises(RuntimeError, match='on purpose'):
        fail()
    assert children[0].exit_code == 7


def test_leaving_twice_and_ending_what_has_ended_does_no_harm(processes: Processes) -> None:
    start(processes, 'pass')
    processes.wait_for_one(PATIENT_S)
    processes.end_all()
    processes.end_all()


def test_signals_are_handled_as_before_once_the_children_have_ended(processes: Processes) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    processes.end_all()
    assert [signal.getsignal(number) for number in numbers] == before


def test_a_second_interrupt_orphans_no_child(tmp_path: Path) -> None:
    # The parent is interrupted twice; its child takes its time to end after the first one.
    slow = """
import signal, sys, threading
asked = threading.Event()
signal.signal(signal.SIGINT, lambda *_: asked.set())
print('ready', flush=True)
asked.wait()
print('asked', flush=True)
threading.Event().wait(0.5)
print('done', flush=True)
"""
    parent_script = f"""
import pathlib, sys
from edgetpu_retrain.processes.child_process import Processes
with Processes(pathlib.Path({str(tmp_path)!r})) as processes:
    processes.start('slow', [sys.executable, '-c', {slow!r}])
    print('started', flush=True)
    processes.wait_for_one(60.0)
"""
    log = tmp_path / 'slow.log'
    parent = subprocess.Popen(
        [sys.executable, '-c', parent_script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == b'started\n'
    for word in ('ready', 'asked'):
        while word not in log.read_text():
            assert parent.poll() is None or word in log.read_text()
        parent.send_signal(signal.SIGINT)
    parent.communicate()
    assert log.read_text().splitlines()[-1] == 'done'
