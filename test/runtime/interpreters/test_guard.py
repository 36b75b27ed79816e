# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0

from collections.abc import Callable
import contextlib
import functools
import gc
import os
import subprocess
import sys
import threading
import weakref

from edgetpu_retrain.errors import DeviceError
from edgetpu_retrain.runtime.interpreters.guard import Guard
import pytest

SHORT_S, LONG_S = 0.05, 60.0
END_WITH_A_CALL_THAT_HANGS = """
import threading
from edgetpu_retrain.errors import DeviceError
from edgetpu_retrain.runtime.interpreters.guard import Guard
guard = Guard()
try:
    guard.call(threading.Event().wait, 0.05)
except DeviceError:
    print('timed out')
"""


class Something:
    pass


def threads_named(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


def wait_until_ended(name: str) -> None:
    for thread in threads_named(name):
        thread.join(LONG_S)
    assert not threads_named(name)


def test_a_call_is_made_in_the_guards_thread_and_its_answer_comes_back() -> None:
    guard = Guard('its name')
    assert guard.call(lambda: threading.current_thread().name, LONG_S) == 'its name'
    for number in range(4):
        assert guard.call(functools.partial(pow, number, 2), LONG_S) == number**2


def test_what_a_call_raises_is_raised_and_the_guard_goes_on() -> None:
    guard = Guard()
    with pytest.raises(KeyError, match='broken'):
        guard.call(functools.partial(os.environ.__getitem__, 'broken'), LONG_S)
    assert guard.call(lambda: 5, LONG_S) == 5


def test_a_call_that_does_not_return_is_abandoned() -> None:
    released = threading.Event()
    guard = Guard('hanging')
    with pytest.raises(DeviceError, match=r'no result within 0\.05 s'):
        guard.call(released.wait, SHORT_S)
    assert threads_named('hanging')
    with pytest.raises(DeviceError, match='an earlier call'):
        guard.call(lambda: 5, LONG_S)
    # Its late answer is nobody's, and ends the thread.
    released.set()
    wait_until_ended('hanging')


@pytest.mark.parametrize('let_go', [lambda guard: guard.end(), lambda _guard: None])
def test_a_closed_or_collected_guard_ends_its_thread(
    let_go: Callable[[Guard], None],
) -> None:
    guard = Guard('let go')
    guard.call(lambda: None, LONG_S)
    assert threads_named('let go')
    let_go(guard)
    del guard
    wait_until_ended('let go')


@pytest.mark.parametrize('fails', [False, True])
def test_a_guard_keeps_no_references_after_a_call(fails: bool) -> None:
    def call(something: Something) -> None:
        if fails:
            raise RuntimeError(f'with {something} in its traceback')

    guard = Guard()
    something = Something()
    gone = threading.Event()
    weakref.finalize(something, gone.set)
    gc.disable()
    try:
        with contextlib.suppress(RuntimeError):
            guard.call(functools.partial(call, something), LONG_S)
        del something
        # The guard's thread may take a moment to wait for the next call.
        assert gone.wait(LONG_S)
    finally:
        gc.enable()


def test_a_call_that_hangs_does_not_keep_the_process_from_ending(package_path: str) -> None:
    process = subprocess.run(
        [sys.executable, '-c', END_WITH_A_CALL_THAT_HANGS],
        env={'PYTHONPATH': package_path},
        check=True,
        capture_output=True,
        text=True,
        timeout=LONG_S,
    )
    assert process.stdout == 'timed out\n'
