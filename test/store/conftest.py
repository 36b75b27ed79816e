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
"""The disk and the power plug: what the tests of the store watch, fill up and pull."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
import os
from pathlib import Path
import resource
import signal
import subprocess
import sys

import edgetpu_retrain.errors
import pytest

SOURCE_FOLDER = Path(edgetpu_retrain.errors.__file__).parents[1]


@pytest.fixture
def disk_calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Record the names of what is flushed and renamed, in order; both still happen."""
    calls: list[tuple[str, str]] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        calls.append(('flush', Path(f'/proc/self/fd/{descriptor}').readlink().name))
        real_fsync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        calls.append(('rename', Path(target).name))
        return real_replace(self, target)

    monkeypatch.setattr(os, 'fsync', fsync)
    monkeypatch.setattr(Path, 'replace', replace)
    return calls


@pytest.fixture
def file_size_limit() -> Callable[[int], AbstractContextManager[None]]:
    """Let the kernel refuse to make any file of this process longer than so many bytes."""

    @contextmanager
    def limit(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limit


@pytest.fixture
def run_and_kill() -> Callable[[str, Path, int], list[int]]:
    """
    Run a script that prints a number a line, kill it after so many, return all it printed.

    The script gets the path as its argument.  It is killed (SIGKILL) while it goes on, so what
    it printed is what it had acknowledged.
    """

    def run(script: str, path: Path, lines: int) -> list[int]:
        search = os.pathsep.join([str(SOURCE_FOLDER), *sys.path])
        with subprocess.Popen(
            [sys.executable, '-c', script, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, 'PYTHONPATH': search},
        ) as child:
            assert child.stdout is not None
            printed = [child.stdout.readline() for _ in range(lines)]
            child.kill()
            # The pipe still has what came between our reading and the kill.
            printed += child.stdout.readlines()
            assert child.wait() == -signal.SIGKILL
        # A line cut short by the kill was not acknowledged.
        return [int(line) for line in printed if line.endswith('\n')]

    return run
