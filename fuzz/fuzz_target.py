# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Runs one target under libFuzzer.

    python -m fuzz.fuzz_target TARGET FOLDER SCRATCH [FLAG...]

FOLDER has a folder `findings`; the program writes `last_input`, the current input, and `hang.txt`,
the traceback of an input that takes too long.  SCRATCH is an empty folder; FLAGs, and folders of
inputs, are libFuzzer's.  An exception is stored as a finding and does not end the process, so that
one finding does not hide others.
"""

from __future__ import annotations

import ctypes
import faulthandler
from io import FileIO
from pathlib import Path
import resource
import sys
from typing import NamedTuple, TextIO

import atheris
from fuzz.finding import store_finding
from fuzz.target import check, Target
from fuzz.target_list import load_target

# Address space beyond what is used when fuzzing begins: more than the budget of any input, less
# than an absurd count in a file would allocate.
_ROOM_BYTES = 1024 * 2**20

TIMEOUT_S = 10
"""An input that takes longer is a hang: the largest valid ones take milliseconds."""


class _Watch(NamedTuple):
    """Files that remain when the process does not end normally."""

    last_input: FileIO
    hang: TextIO


def main() -> None:
    """Fuzz until libFuzzer ends the process."""
    name, folder, scratch, *flags = sys.argv[1:]
    findings = Path(folder) / 'findings'
    with atheris.instrument_imports(include=['edgetpu_retrain'], enable_loader_override=False):
        target = load_target(name)
        # Run the seeds here, so that lazily imported modules are instrumented as well.
        for seed in target.seeds():
            _try(target, seed, Path(scratch), findings)
    options = {}
    mutate = target.mutate
    if mutate is not None:
        options['custom_mutator'] = lambda data, most, seed: mutate(
            data, most, seed, atheris.Mutate
        )
    with (
        (Path(folder) / 'last_input').open('wb', buffering=0) as last_input,
        (Path(folder) / 'hang.txt').open('w') as hang,
    ):
        watch = _Watch(last_input, hang)
        atheris.Setup(
            [sys.argv[0], *flags],
            lambda data: _try(target, data, Path(scratch), findings, watch),
            **options,
        )
        _end_without_destructors()
        _limit_memory()
        # This call ends the process.
        atheris.Fuzz()


def _try(
    target: Target, data: bytes, folder: Path, findings: Path, watch: _Watch | None = None
) -> None:
    if watch is not None:
        watch.last_input.seek(0)
        watch.last_input.truncate()
        watch.last_input.write(data)
        # libFuzzer's own alarm is unusable: atheris loses one that reaches another thread, and the
        # next one ends the process.
        faulthandler.dump_traceback_later(TIMEOUT_S, exit=True, file=watch.hang)
    try:
        check(target, data, folder)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - any other exception is a finding
        store_finding(findings, error, data)
    finally:
        if watch is not None:
            faulthandler.cancel_dump_traceback_later()


def _end_without_destructors() -> None:
    """
    Make exit() end the process right after libFuzzer's own handlers.

    Otherwise atheris's destructor of a mutator waits for the interpreter, which no longer exists.
    """
    libc = ctypes.CDLL(None)
    libc['__cxa_atexit'](ctypes.cast(libc['_exit'], ctypes.c_void_p), None, None)


def _limit_memory() -> None:
    """Limit the address space, so that absurd amounts of memory raise MemoryError."""
    pages = int(Path('/proc/self/statm').read_text().split()[0])
    limit = pages * resource.getpagesize() + _ROOM_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == '__main__':
    main()
